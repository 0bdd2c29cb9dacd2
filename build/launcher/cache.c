#define _GNU_SOURCE
#include "cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "folder.h"
#include "report.h"
#include "unpack.h"

#define UNUSED_SECONDS (14 * 24 * 3600)
#define EXCHANGE 2 /* RENAME_EXCHANGE, Linux 3.15 */

/*
 * Two locks. ID.lock is held shared, through exec, for as long as a runtime runs, so that nobody prunes it; its time is
 * that of the last start. The other is held by the process that changes the folder; each user has one, because in a
 * sticky folder users can change only what is theirs.
 */
#define UNPACKING "unpacking-%u.lock"
#define TEMPORARY ".%s.tmp%u-" /* id and user ID, as for that lock */
#define LOCK_SUFFIX ".lock"
#define PATIENCE 40 /* times 50 ms: a process that holds ID.lock exclusively is removing that runtime */

/* Opens a lock file, creating it where it is missing; -1 with `why` and errno. That of another user is refused. */
static int open_lock(int cache, const char *name, mode_t mode, const struct trust *trust) {
    const int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK;
    int fd = openat(cache, name, flags);
    if (fd < 0 && errno == ENOENT) fd = openat(cache, name, flags | O_CREAT | O_EXCL, mode);
    if (fd < 0 && errno == EEXIST) fd = openat(cache, name, flags);
    struct stat found;
    if (fd < 0 || fstat(fd, &found) != 0) return because("%s", strerror(errno));
    if (trust->anybody || found.st_uid == geteuid() || found.st_uid == 0) return fd;
    close(fd);
    errno = EPERM;
    return because("%s belongs to another user, uid %u", name, (unsigned)found.st_uid);
}

/* Some file systems have no locks, and another process may never release one: neither prevents a start. */
static void hold_shared(int lock) {
    const struct timespec moment = {0, 50000000};
    for (int i = 0; i < PATIENCE && flock(lock, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK; i++)
        nanosleep(&moment, NULL);
}

static DIR *list(int cache) {
    int fd = openat(cache, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = fd < 0 ? NULL : fdopendir(fd);
    if (!folder && fd >= 0) close(fd);
    return folder;
}

/* Removes what a killed process left; the caller holds the lock, so nobody is writing there now. */
static void remove_leftovers(int cache, const char *prefix) {
    DIR *folder = list(cache);
    for (struct dirent *each; folder && (each = readdir(folder));)
        if (!strncmp(each->d_name, prefix, strlen(prefix))) remove_tree(cache, each->d_name);
    if (folder) closedir(folder);
}

/* Removes runtimes of other versions that are not running and were not started for two weeks. */
static void prune(int cache, const char *id) {
    DIR *folder = list(cache);
    for (struct dirent *each; folder && (each = readdir(folder));) {
        char name[ID_BYTES + 1] = "";
        if (strlen(each->d_name) != ID_BYTES + 5 || strcmp(each->d_name + ID_BYTES, LOCK_SUFFIX) != 0) continue;
        memcpy(name, each->d_name, ID_BYTES);
        if (!strcmp(name, id)) continue;
        int fd = openat(cache, each->d_name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        struct stat lock;
        if (fd >= 0 && fstat(fd, &lock) == 0 && lock.st_mtime < time(NULL) - UNUSED_SECONDS &&
            flock(fd, LOCK_EX | LOCK_NB) == 0)
            remove_tree(cache, name);
        if (fd >= 0) close(fd);
    }
    if (folder) closedir(folder);
}

/*
 * Moves the new runtime to its final name, in place of a damaged one if there is one. Processes that run from the old
 * one go on: open files stay, and files opened later have the same content.
 */
static int put_in_place(const struct pack *pack, int cache, const char *fresh, const struct trust *trust) {
    char old[NAME_MAX];
    if (renameat(cache, fresh, cache, pack->id) == 0) return 0;
    if (errno != ENOTEMPTY && errno != EEXIST && errno != ENOTDIR) return because("%s", strerror(errno));
    if (check_runtime(pack, cache, pack->id, trust) == 0) return 0; /* without locks, another process was first */
    if (syscall(SYS_renameat2, cache, fresh, cache, pack->id, EXCHANGE) == 0) return 0;
    snprintf(old, sizeof old, "%s.old", fresh);
    if (renameat(cache, pack->id, cache, old) != 0 || renameat(cache, fresh, cache, pack->id) != 0)
        return because("%s", strerror(errno));
    remove_tree(cache, old);
    return 0;
}

static int unpack_into(const struct pack *pack, int cache, const struct trust *trust) {
    char fresh[NAME_MAX];
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now); /* without locks, two containers may use one process ID */
    snprintf(fresh, sizeof fresh, TEMPORARY "%d-%ld", pack->id, (unsigned)geteuid(), (int)getpid(), now.tv_nsec);
    int failed = unpack_runtime(pack, cache, fresh);
    if (!failed && (failed = check_runtime(pack, cache, fresh, trust)) != 0) errno = EIO;
    if (!failed) failed = put_in_place(pack, cache, fresh, trust);
    int kept = errno;
    remove_tree(cache, fresh);
    errno = kept;
    return failed;
}

/* Unpacks under the lock, unless another process just did. */
static int unpack_once(const struct pack *pack, int cache, const struct trust *trust) {
    char leftovers[NAME_MAX], name[40];
    snprintf(name, sizeof name, UNPACKING, (unsigned)geteuid());
    int lock = open_lock(cache, name, 0600, trust), failed = 0;
    if (lock < 0) return -1;
    fcntl(lock, F_SETFD, FD_CLOEXEC);
    int locked = flock(lock, LOCK_EX) == 0;
    if (check_runtime(pack, cache, pack->id, trust) != 0) {
        snprintf(leftovers, sizeof leftovers, TEMPORARY, pack->id, (unsigned)geteuid());
        if (locked) remove_leftovers(cache, leftovers);
        failed = unpack_into(pack, cache, trust);
        if (!failed) prune(cache, pack->id);
    }
    int kept = errno;
    close(lock);
    errno = kept;
    return failed;
}

int provide_runtime(const struct pack *pack, int cache, const struct trust *trust) {
    char name[ID_BYTES + sizeof LOCK_SUFFIX], fault[400];
    snprintf(name, sizeof name, "%s" LOCK_SUFFIX, pack->id);
    int lock = open_lock(cache, name, 0644, trust); /* none in a cache that is read-only */
    if (lock >= 0) {
        futimens(lock, NULL);
        hold_shared(lock);
    }
    if (check_runtime(pack, cache, pack->id, trust) == 0) return 0;
    int missing = errno == ENOENT;
    snprintf(fault, sizeof fault, "%s", why);
    if (unpack_once(pack, cache, trust) == 0) return 0;
    int kept = errno;
    if (lock >= 0) close(lock);
    if (!missing) {
        char reason[400];
        snprintf(reason, sizeof reason, "%s", why);
        because("the copy there was changed, %s, and cannot be unpacked again: %s", fault, reason);
    }
    errno = kept;
    return -1;
}
