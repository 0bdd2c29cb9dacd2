#define _GNU_SOURCE
#include "unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "folder.h"
#include "progress.h"
#include "report.h"

#define MAX_WORKERS 4

static int write_all(int fd, const unsigned char *data, uint64_t size) {
    while (size) {
        ssize_t done = write(fd, data, size > 1 << 24 ? 1 << 24 : size);
        if (done < 0 && errno == EINTR) continue;
        if (done == 0) errno = EIO;
        if (done <= 0) return -1;
        data += done;
        size -= (uint64_t)done;
    }
    return 0;
}

/* Opens the folder of the file at `path`, creating missing folders; -1 with errno. */
static int open_parent(int target, const char *path, const char **name) {
    int fd = fcntl(target, F_DUPFD_CLOEXEC, 0);
    for (const char *slash; fd >= 0 && (slash = strchr(path, '/')); path = slash + 1) {
        char part[NAME_MAX + 1];
        snprintf(part, sizeof part, "%.*s", (int)(slash - path), path);
        int next = mkdirat(fd, part, 0755) == 0 || errno == EEXIST ? open_subfolder(fd, part) : -1;
        int kept = errno;
        close(fd);
        errno = kept;
        fd = next;
    }
    *name = path;
    return fd;
}

static int write_file(int parent, const char *name, const struct entry *entry, const unsigned char *data) {
    const struct timespec times[2] = {{UNPACKED_TIME, 0}, {UNPACKED_TIME, 0}};
    int fd = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) return -1;
    int failed = write_all(fd, data, entry->size);
    if (!failed) failed = fchmod(fd, entry->mode & 0777);
    if (!failed) futimens(fd, times);
    int kept = errno;
    if (close(fd) != 0 && !failed) return -1;
    errno = kept;
    return failed;
}

/* Writes one entry below the open folder `target`; 0 or errno. */
static int unpack_entry(const struct pack *pack, unsigned number, int target) {
    const char *name;
    unsigned char *data = content_of(pack, number);
    if (!data) return errno;
    int parent = open_parent(target, pack->path[number], &name), failed = parent < 0 ? errno : 0;
    if (!failed) {
        const struct entry *entry = &pack->entry[number];
        int result = S_ISLNK(entry->mode) ? symlinkat((char *)data, parent, name) : write_file(parent, name, entry, data);
        if (result != 0) failed = errno ? errno : EIO;
    }
    if (parent >= 0) close(parent);
    free(data);
    return failed;
}

struct unpacking {
    const struct pack *pack;
    int target; /* the open folder that is filled */
    unsigned workers;
    struct progress progress;
};

/* Unpacks every `workers`-th entry, starting with `first`; 0 or errno. */
static int unpack_share(const struct unpacking *job, unsigned first) {
    int failed = 0;
    for (unsigned i = first; !failed && i < job->pack->entries; i += job->workers) {
        failed = unpack_entry(job->pack, i, job->target);
        add_progress(&job->progress, job->pack->entry[i].size);
    }
    return failed;
}

/* The result of a child process that unpacked its share: 0 or errno. */
static int result_of(pid_t child) {
    int status = 0;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR) return errno;
    return WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
}

static int unpack_shares(const struct unpacking *job) {
    pid_t children[MAX_WORKERS];
    for (unsigned i = 1; i < job->workers; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            signal(SIGBUS, SIG_DFL); /* its parent reports the error, once */
            _exit(unpack_share(job, i));
        }
    }
    int failed = unpack_share(job, 0);
    for (unsigned i = 1; i < job->workers; i++) {
        /* Without a process for it, its share is done here. */
        int theirs = children[i] < 0 ? unpack_share(job, i) : result_of(children[i]);
        failed = failed ? failed : theirs;
    }
    if (!failed && syncfs(job->target) != 0) failed = errno; /* so that a power failure leaves all or nothing */
    return failed;
}

int unpack_runtime(const struct pack *pack, int parent, const char *name) {
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    struct unpacking job = {.pack = pack, .workers = cores < 1 ? 1 : cores > MAX_WORKERS ? MAX_WORKERS : (unsigned)cores};
    uint64_t total = 0;
    for (unsigned i = 0; i < pack->entries; i++) total += pack->entry[i].size;
    job.target = mkdirat(parent, name, 0755) == 0 ? open_subfolder(parent, name) : -1;
    int failed = job.target < 0 ? errno : 0;
    if (!failed) {
        job.progress = start_progress(total);
        failed = unpack_shares(&job);
        end_progress(&job.progress);
        close(job.target);
    }
    errno = failed;
    return failed ? because("%s", failed == EINTR ? "unpacking was stopped by a signal" : strerror(failed)) : 0;
}
