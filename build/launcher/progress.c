#define _GNU_SOURCE
#include "progress.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "report.h"

#define MOMENT 200000000 /* nanoseconds */
#define QUIET 50         /* moments without a word where nobody watches */

static void say(int watched, uint64_t done, uint64_t total) {
    fprintf(stderr, "%s%s: unpacking its runtime, once on this machine: %u %%%s", watched ? "\r" : "", self_name,
            (unsigned)(total ? done * 100 / total : 100), watched ? "" : "\n");
}

static _Noreturn void tell(const uint64_t *done, uint64_t total, int watched) {
    const struct timespec moment = {0, MOMENT};
    for (unsigned i = 1;; i++) {
        nanosleep(&moment, NULL);
        if (watched || i % QUIET == 0) say(watched, __atomic_load_n(done, __ATOMIC_RELAXED), total);
    }
}

struct progress start_progress(uint64_t total) {
    struct progress progress = {.teller = -1};
    void *shared = mmap(NULL, sizeof *progress.done, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) return progress;
    progress.done = shared;
    pid_t parent = getpid();
    int watched = isatty(STDERR_FILENO);
    if (watched) say(1, 0, total);
    progress.teller = fork();
    if (progress.teller == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent) _exit(0);
        tell(progress.done, total, watched);
    }
    return progress;
}

void add_progress(const struct progress *progress, uint64_t bytes) {
    if (progress->done) __atomic_fetch_add(progress->done, bytes, __ATOMIC_RELAXED);
}

void end_progress(struct progress *progress) {
    if (progress->teller > 0 && kill(progress->teller, SIGKILL) == 0)
        while (waitpid(progress->teller, NULL, 0) < 0 && errno == EINTR) {}
    if (isatty(STDERR_FILENO)) fputs("\r\033[K", stderr);
    if (progress->done) munmap(progress->done, sizeof *progress->done);
}
