#define _GNU_SOURCE
#include "folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "report.h"

#define MAX_LINKS 40

static int replace_fd(int *fd, int by) {
    close(*fd);
    *fd = by;
    return by;
}

/* The state of a walk: an open folder, its path, whether other users may write there, and the rest of the path. */
struct walk {
    int fd, shared, links;
    char *real;
    char rest[2 * PATH_MAX];
};

static int to_root(struct walk *walk, const struct trust *trust) {
    struct stat found;
    walk->real[0] = '\0';
    if (replace_fd(&walk->fd, open("/", O_PATH | O_DIRECTORY | O_CLOEXEC)) < 0 || fstat(walk->fd, &found) != 0)
        return because("/: %s", strerror(errno));
    walk->shared = check_ancestor(trust, walk->fd, &found, "/", 0);
    return walk->shared < 0 ? -1 : 0;
}

/* Puts the target of a link in front of the rest of the path. */
static int follow(struct walk *walk, const struct trust *trust, int link) {
    char target[PATH_MAX], rest[2 * PATH_MAX];
    ssize_t length = readlinkat(link, "", target, sizeof target - 1);
    if (length < 0 || ++walk->links > MAX_LINKS) {
        errno = length < 0 ? errno : ELOOP;
        return because("%s", strerror(errno));
    }
    target[length] = '\0';
    if (snprintf(rest, sizeof rest, "%s/%s", target, walk->rest) >= PATH_MAX) {
        errno = ENAMETOOLONG;
        return because("%s", strerror(errno));
    }
    strcpy(walk->rest, rest);
    return *target == '/' ? to_root(walk, trust) : 0;
}

/* Walks one component of the path; 0, or -1 with `why` and errno. */
static int step(struct walk *walk, const struct trust *trust, mode_t make, const char *name) {
    char path[PATH_MAX];
    int up = !strcmp(name, "..");
    if (up) {
        char *slash = strrchr(walk->real, '/');
        snprintf(path, sizeof path, "%.*s", slash ? (int)(slash - walk->real) : 0, walk->real);
    } else if (snprintf(path, sizeof path, "%s/%s", walk->real, name) >= PATH_MAX) {
        errno = ENAMETOOLONG;
        return because("%s", strerror(errno));
    }
    int next = openat(walk->fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (next < 0 && errno == ENOENT && make && (mkdirat(walk->fd, name, make) == 0 || errno == EEXIST))
        next = openat(walk->fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    struct stat found;
    if (next < 0 || fstat(next, &found) != 0) return because("%s", strerror(errno));
    int shared = check_ancestor(trust, next, &found, *path ? path : "/", up ? 0 : walk->shared), failed = 0;
    if (shared < 0) {
        failed = -1;
    } else if (S_ISLNK(found.st_mode)) {
        failed = follow(walk, trust, next);
    } else if (!S_ISDIR(found.st_mode)) {
        errno = ENOTDIR;
        failed = because("%s", strerror(errno));
    } else {
        replace_fd(&walk->fd, next);
        walk->shared = shared;
        strcpy(walk->real, path);
        return 0;
    }
    int kept = errno;
    close(next);
    errno = kept;
    return failed;
}

int open_folder(const char *path, const struct trust *trust, mode_t make, char *real) {
    struct walk walk = {.fd = -1, .real = real};
    if (path[0] != '/') return because("not an absolute path");
    if (snprintf(walk.rest, sizeof walk.rest, "%s", path) >= PATH_MAX) return because("the path is too long");
    int failed = to_root(&walk, trust);
    while (!failed && *walk.rest) {
        char name[PATH_MAX];
        size_t length = strcspn(walk.rest, "/"), with_slash = length + (walk.rest[length] == '/');
        snprintf(name, sizeof name, "%.*s", (int)length, walk.rest);
        memmove(walk.rest, walk.rest + with_slash, strlen(walk.rest + with_slash) + 1);
        if (*name && strcmp(name, ".") != 0) failed = step(&walk, trust, make, name);
    }
    if (!failed) return walk.fd;
    int kept = errno;
    if (walk.fd >= 0) close(walk.fd);
    errno = kept;
    return -1;
}

int open_subfolder(int parent, const char *name) {
    return openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

void remove_tree(int parent, const char *name) {
    if (unlinkat(parent, name, 0) == 0) return;
    int fd = open_subfolder(parent, name);
    DIR *folder = fd < 0 ? NULL : fdopendir(fd);
    for (struct dirent *each; folder && (each = readdir(folder));)
        if (strcmp(each->d_name, ".") != 0 && strcmp(each->d_name, "..") != 0) remove_tree(fd, each->d_name);
    if (folder) closedir(folder);
    else if (fd >= 0) close(fd);
    unlinkat(parent, name, AT_REMOVEDIR);
}
