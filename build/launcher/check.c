#define _GNU_SOURCE
#include "check.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "folder.h"
#include "report.h"

#define CHUNK (1 << 16)

struct check {
    const struct pack *pack;
    const struct trust *trust;
    unsigned char *seen; /* one flag per entry */
};

/* Whether a file has the content of its entry; if so, its time is set, which says so. 0, or -1 with `why`. */
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
    if (fd >= 0 && at == size) futimens(fd, times); /* may fail: then it is compared again at the next start */
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
            return because("%s points elsewhere", path);
        return 0;
    }
    if (!check->trust->anybody && (found.st_mode & 022 || found.st_uid != geteuid())) {
        int fd = openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        int failed = fd < 0 || fstat(fd, &found) != 0 ? because("%s: %s", path, strerror(errno))
                                                       : check_trust(check->trust, fd, &found, path);
        if (fd >= 0) close(fd);
        if (failed) return -1;
    }
    if (found.st_mtim.tv_sec == UNPACKED_TIME && found.st_mtim.tv_nsec == 0) return 0;
    return compare_content(check->pack, number, parent, name);
}

static int check_folder(const struct check *check, int parent, const char *name, const char *path);

/* Checks `name` in the open folder of `path` ("" for the runtime's own folder, otherwise with a slash at the end). */
static int check_name(const struct check *check, int fd, const char *path, const char *name) {
    char full[PATH_MAX];
    if (snprintf(full, sizeof full, "%s%s", path, name) >= (int)sizeof full)
        return because("%s does not belong to it", name);
    long number = find_entry(check->pack, full);
    if (number >= 0) {
        check->seen[number] = 1;
        return check_file(check, (unsigned)number, fd, name);
    }
    if (!is_folder_of(check->pack, full)) return because("%s does not belong to it", full);
    return check_folder(check, fd, name, full);
}

static int check_folder(const struct check *check, int parent, const char *name, const char *path) {
    char inside[PATH_MAX] = "";
    int fd = open_subfolder(parent, name), failed;
    struct stat found;
    if (fd < 0) return because("%s: %s", *path ? path : name, strerror(errno));
    if (*path) snprintf(inside, sizeof inside, "%s/", path);
    failed = fstat(fd, &found) != 0 ? because("%s: %s", path, strerror(errno))
                                    : check_trust(check->trust, fd, &found, *path ? path : name);
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
