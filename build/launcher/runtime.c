#define _GNU_SOURCE
#include "runtime.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "progress.h"
#include "report.h"

#define MAX_WORKERS 4
#define CHUNK (1 << 16)
/* 2000-01-01: every disk and archive can say it, to the second. */
#define UNPACKED_TIME 946684800

static int open_part(int parent, const char *name) {
    return openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* ---- checking ---- */

struct check {
    const struct pack *pack;
    const struct trust *trust;
    unsigned char *seen; /* one for each entry */
};

/* Whether a file holds the bytes of its entry; if so, it gets the time that says it. 0 or -1 with `why`. */
static int compare_content(const struct pack *pack, unsigned number, int parent, const char *name) {
    unsigned char buffer[CHUNK];
    unsigned char *data = content_of(pack, number);
    if (!data) return because("%s cannot be compared: %s", pack->path[number], strerror(errno));
    int fd = openat(parent, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    uint64_t at = 0, size = pack->entry[number].size;
    ssize_t count = 0;
    while (fd >= 0 && at < size && (count = read(fd, buffer, sizeof buffer)) > 0) {
        if ((uint64_t)count > size - at || memcmp(buffer, data + at, (size_t)count) != 0) break;
        at += (uint64_t)count;
    }
    free(data);
    const struct timespec times[2] = {{UNPACKED_TIME, 0}, {UNPACKED_TIME, 0}};
    if (fd >= 0 && at == size) futimens(fd, times); /* not ours or read-only: compared again at the next start */
    if (fd >= 0) close(fd);
    return at == size ? 0 : because("%s was changed", pack->path[number]);
}

static int check_file(const struct check *check, unsigned number, int parent, const char *name) {
    const struct entry *entry = &check->pack->entry[number];
    const char *path = check->pack->path[number];
    struct stat found;
    if (fstatat(parent, name, &found, AT_SYMLINK_NOFOLLOW) != 0) return because("%s: %s", path, strerror(errno));
    if ((found.st_mode & S_IFMT) != (entry->mode & S_IFMT)) return because("%s was replaced", path);
    if ((uint64_t)found.st_size != entry->size)
        return because("%s has %lld bytes and should have %llu", path, (long long)found.st_size,
                       (unsigned long long)entry->size);
    if (S_ISLNK(entry->mode)) {
        char target[PATH_MAX] = "";
        if (readlinkat(parent, name, target, sizeof target - 1) != (ssize_t)entry->size ||
            memcmp(target, check->pack->base + entry->offset, entry->size) != 0)
            return because("%s leads elsewhere", path);
        return 0;
    }
    if (!check->trust->anybody && (found.st_mode & 022 || found.st_uid != geteuid())) {
        int fd = openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        int failed = fd < 0 || fstat(fd, &found) != 0 ? because("%s: %s", path, strerror(errno))
                                                       : judge(check->trust, fd, &found, path);
        if (fd >= 0) close(fd);
        if (failed) return -1;
    }
    if (found.st_mtim.tv_sec == UNPACKED_TIME && found.st_mtim.tv_nsec == 0) return 0;
    return compare_content(check->pack, number, parent, name);
}

static int check_folder(const struct check *check, int parent, const char *name, const char *path);

/* What bears `name` in the open folder of `path` ("" for the runtime's own, else with a slash at its end). */
static int check_name(const struct check *check, int fd, const char *path, const char *name) {
    char full[PATH_MAX];
    if (snprintf(full, sizeof full, "%s%s", path, name) >= (int)sizeof full) return because("%s is no part of it", name);
    long number = find_entry(check->pack, full);
    if (number >= 0) {
        check->seen[number] = 1;
        return check_file(check, (unsigned)number, fd, name);
    }
    return is_folder_of(check->pack, full) ? check_folder(check, fd, name, full) : because("%s is no part of it", full);
}

static int check_folder(const struct check *check, int parent, const char *name, const char *path) {
    char inside[PATH_MAX] = "";
    int fd = open_part(parent, name), failed;
    struct stat found;
    if (fd < 0) return because("%s: %s", *path ? path : name, strerror(errno));
    if (*path) snprintf(inside, sizeof inside, "%s/", path);
    failed = fstat(fd, &found) != 0 ? because("%s: %s", path, strerror(errno))
                                    : judge(check->trust, fd, &found, *path ? path : name);
    DIR *folder = fdopendir(fd);
    if (!folder) {
        if (!failed) failed = because("%s: %s", path, strerror(errno));
        close(fd);
        return failed;
    }
    for (struct dirent *each; !failed && (each = readdir(folder));)
        if (strcmp(each->d_name, ".") != 0 && strcmp(each->d_name, "..") != 0)
            failed = check_name(check, fd, inside, each->d_name);
    closedir(folder);
    return failed;
}

int check_runtime(const struct pack *pack, int parent, const char *name, const struct trust *trust) {
    struct stat found;
    if (fstatat(parent, name, &found, AT_SYMLINK_NOFOLLOW) != 0) return because("%s", strerror(errno));
    struct check check = {pack, trust, calloc(pack->entries, 1)};
    if (!check.seen) return because("%s", strerror(errno));
    int failed = check_folder(&check, parent, name, "");
    for (unsigned i = 0; !failed && i < pack->entries; i++)
        if (!check.seen[i]) failed = because("%s is missing", pack->path[i]);
    free(check.seen);
    if (failed) errno = EBADMSG;
    return failed;
}

/* ---- unpacking ---- */

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

/* Opens the folder that the file of `path` lies in, making what is missing; -1 with errno. */
static int open_parent(int target, const char *path, const char **name) {
    int fd = fcntl(target, F_DUPFD_CLOEXEC, 0);
    for (const char *slash; fd >= 0 && (slash = strchr(path, '/')); path = slash + 1) {
        char part[NAME_MAX + 1];
        snprintf(part, sizeof part, "%.*s", (int)(slash - path), path);
        int next = mkdirat(fd, part, 0755) == 0 || errno == EEXIST ? open_part(fd, part) : -1;
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

/* Every `workers`-th entry, from `first` on; 0 or errno. */
static int unpack_share(const struct unpacking *job, unsigned first) {
    int failed = 0;
    for (unsigned i = first; !failed && i < job->pack->entries; i += job->workers) {
        failed = unpack_entry(job->pack, i, job->target);
        add_progress(&job->progress, job->pack->entry[i].size);
    }
    return failed;
}

/* What a process that unpacked its share found: 0 or errno. */
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
            signal(SIGBUS, SIG_DFL); /* the one sentence is its parent's */
            _exit(unpack_share(job, i));
        }
    }
    int failed = unpack_share(job, 0);
    for (unsigned i = 1; i < job->workers; i++) {
        /* No process to be had: its share is done here. */
        int theirs = children[i] < 0 ? unpack_share(job, i) : result_of(children[i]);
        failed = failed ? failed : theirs;
    }
    if (!failed && syncfs(job->target) != 0) failed = errno; /* after a power cut: all or nothing */
    return failed;
}

int unpack_runtime(const struct pack *pack, int parent, const char *name) {
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    struct unpacking job = {.pack = pack, .workers = cores < 1 ? 1 : cores > MAX_WORKERS ? MAX_WORKERS : (unsigned)cores};
    uint64_t total = 0;
    for (unsigned i = 0; i < pack->entries; i++) total += pack->entry[i].size;
    job.target = mkdirat(parent, name, 0755) == 0 ? open_part(parent, name) : -1;
    int failed = job.target < 0 ? errno : 0;
    if (!failed) {
        job.progress = start_progress(total);
        failed = unpack_shares(&job);
        end_progress(&job.progress);
        close(job.target);
    }
    errno = failed;
    return failed ? because("%s", failed == EINTR ? "unpacking was ended by a signal" : strerror(failed)) : 0;
}
