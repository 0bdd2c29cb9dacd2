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

#define INTERVAL 200000000 /* nanoseconds */
#define QUIET 50           /* intervals between two lines that are not on a terminal */

static void print(int terminal, uint64_t done, uint64_t total) {
    fprintf(stderr, "%s%s: unpacking %s (first start only): %u%%%s", terminal ? "\r" : "", self_name,
            subject, (unsigned)(total ? done * 100 / total : 100), terminal ? "" : "\n");
}

static _Noreturn void report(const uint64_t *done, uint64_t total, int terminal) {
    const struct timespec interval = {0, INTERVAL};
    for (unsigned i = 1;; i++) {
        nanosleep(&interval, NULL);
        if (terminal || i % QUIET == 0) print(terminal, __atomic_load_n(done, __ATOMIC_RELAXED), total);
    }
}

struct progress start_progress(uint64_t total) {
    struct progress progress = {.reporter = -1};
    void *shared = mmap(NULL, sizeof *progress.done, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) return progress;
    progress.done = shared;
    pid_t parent = getpid();
    int terminal = isatty(STDERR_FILENO);
    if (terminal) print(1, 0, total);
    progress.reporter = fork();
    if (progress.reporter == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent) _exit(0);
        report(progress.done, total, terminal);
    }
    return progress;
}

void add_progress(const struct progress *progress, uint64_t bytes) {
    if (progress->done) __atomic_fetch_add(progress->done, bytes, __ATOMIC_RELAXED);
}

void end_progress(struct progress *progress) {
    if (progress->reporter > 0 && kill(progress->reporter, SIGKILL) == 0)
        while (waitpid(progress->reporter, NULL, 0) < 0 && errno == EINTR) {}
    if (isatty(STDERR_FILENO)) fputs("\r\033[K", stderr);
    if (progress->done) munmap(progress->done, sizeof *progress->done);
}
