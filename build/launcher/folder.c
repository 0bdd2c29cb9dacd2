#define _GNU_SOURCE
#include "folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "report.h"

#define MAX_LINKS 40
#define UNMAPPED 65534 /* how a user namespace shows an owner whom it has no number for */

/* Whether `group` holds `owner` alone, by its name and /etc/passwd and /etc/group, as many systems make them. */
static int private_group(gid_t group, uid_t owner) {
    char name[256] = "";
    int alone = 1, found = 0;
    struct passwd *user;
    setpwent();
    while ((user = getpwent())) {
        if (user->pw_uid == owner) snprintf(name, sizeof name, "%s", user->pw_name);
        else if (user->pw_gid == group) alone = 0;
    }
    endpwent();
    struct group *each;
    setgrent();
    while ((each = getgrent())) {
        if (each->gr_gid != group) continue;
        found = 1;
        if (strcmp(each->gr_name, name) != 0) alone = 0;
        for (char **member = each->gr_mem; *member; member++)
            if (strcmp(*member, name) != 0) alone = 0;
    }
    endgrent();
    return alone && found && *name;
}

/* Whether others than the owner may write; an access list shows as a group that may. */
static int others_write(int fd, const struct stat *found) {
    char self[32];
    if (!(found->st_mode & 022)) return 0;
    if (found->st_mode & 002) return 1;
    snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
    return getxattr(self, "system.posix_acl_access", NULL, 0) > 0 || !private_group(found->st_gid, found->st_uid);
}

static int known_owner(const struct trust *trust, uid_t owner) {
    return owner == geteuid() || owner == 0 || owner == trust->owner;
}

/* Whether root itself may have no number here: in a user namespace `/` is often nobody's. */
static int root_is_unmapped(void) {
    char map[256] = "", *at = map;
    int fd = open("/proc/self/uid_map", O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? 0 : read(fd, map, sizeof map - 1);
    if (fd >= 0) close(fd);
    unsigned long inside = strtoul(at, &at, 10), outside = strtoul(at, &at, 10), count = strtoul(at, &at, 10);
    return length > 0 && (inside || outside || count != 0xffffffff);
}

static int belongs_to_another(const struct stat *found, const char *path) {
    errno = EPERM;
    return because("%s belongs to another user, number %u", path, (unsigned)found->st_uid);
}

static int written_by_others(const char *path) {
    errno = EPERM;
    return because("others may write into %s: chmod go-w %s", path, path);
}

int judge(const struct trust *trust, int fd, const struct stat *found, const char *path) {
    if (trust->anybody) return 0;
    if (!known_owner(trust, found->st_uid)) return belongs_to_another(found, path);
    return others_write(fd, found) ? written_by_others(path) : 0;
}

/* A folder on the way, `shared`: others may write into the one above; 0, or 1 when others may write into it too. */
static int judge_on_the_way(const struct trust *trust, int fd, const struct stat *found, const char *path, int shared) {
    if (trust->anybody) return 0;
    /* Where nobody else may write, only root can have made a folder for an owner without a number. */
    int known = known_owner(trust, found->st_uid) || (!shared && found->st_uid == UNMAPPED && root_is_unmapped());
    if (!known) return belongs_to_another(found, path);
    if (S_ISLNK(found->st_mode) || !others_write(fd, found)) return 0;
    return found->st_mode & S_ISVTX ? 1 : written_by_others(path);
}

static int replace(int *fd, int by) {
    close(*fd);
    *fd = by;
    return by;
}

/* Where the walk stands: an open folder, its path, whether others may write there, and what is left of the way. */
struct walk {
    int fd, shared, links;
    char *real;
    char left[2 * PATH_MAX];
};

static int to_root(struct walk *walk, const struct trust *trust) {
    struct stat found;
    walk->real[0] = '\0';
    if (replace(&walk->fd, open("/", O_PATH | O_DIRECTORY | O_CLOEXEC)) < 0 || fstat(walk->fd, &found) != 0)
        return because("/: %s", strerror(errno));
    walk->shared = judge_on_the_way(trust, walk->fd, &found, "/", 0);
    return walk->shared < 0 ? -1 : 0;
}

/* Puts the target of a link before what is left of the way. */
static int follow(struct walk *walk, const struct trust *trust, int link) {
    char target[PATH_MAX], left[2 * PATH_MAX];
    ssize_t length = readlinkat(link, "", target, sizeof target - 1);
    if (length < 0 || ++walk->links > MAX_LINKS) {
        errno = length < 0 ? errno : ELOOP;
        return because("%s", strerror(errno));
    }
    target[length] = '\0';
    if (snprintf(left, sizeof left, "%s/%s", target, walk->left) >= PATH_MAX) {
        errno = ENAMETOOLONG;
        return because("%s", strerror(errno));
    }
    strcpy(walk->left, left);
    return *target == '/' ? to_root(walk, trust) : 0;
}

/* One part of the way; 0, or -1 with `why` and errno. */
static int step(struct walk *walk, const struct trust *trust, const char *name) {
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
    if (next < 0 && errno == ENOENT && trust->make &&
        (mkdirat(walk->fd, name, trust->make) == 0 || errno == EEXIST))
        next = openat(walk->fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    struct stat found;
    if (next < 0 || fstat(next, &found) != 0) return because("%s", strerror(errno));
    int shared = judge_on_the_way(trust, next, &found, *path ? path : "/", up ? 0 : walk->shared), failed = 0;
    if (shared < 0) {
        failed = -1;
    } else if (S_ISLNK(found.st_mode)) {
        failed = follow(walk, trust, next);
    } else if (!S_ISDIR(found.st_mode)) {
        errno = ENOTDIR;
        failed = because("%s", strerror(errno));
    } else {
        replace(&walk->fd, next);
        walk->shared = shared;
        strcpy(walk->real, path);
        return 0;
    }
    int kept = errno;
    close(next);
    errno = kept;
    return failed;
}

int open_folder(const char *path, const struct trust *trust, char *real) {
    struct walk walk = {.fd = -1, .real = real};
    if (path[0] != '/') return because("not an absolute path");
    if (snprintf(walk.left, sizeof walk.left, "%s", path) >= PATH_MAX) return because("the path is too long");
    int failed = to_root(&walk, trust);
    while (!failed && *walk.left) {
        char name[PATH_MAX];
        size_t length = strcspn(walk.left, "/"), with_slash = length + (walk.left[length] == '/');
        snprintf(name, sizeof name, "%.*s", (int)length, walk.left);
        memmove(walk.left, walk.left + with_slash, strlen(walk.left + with_slash) + 1);
        if (*name && strcmp(name, ".") != 0) failed = step(&walk, trust, name);
    }
    if (!failed) return walk.fd;
    int kept = errno;
    if (walk.fd >= 0) close(walk.fd);
    errno = kept;
    return -1;
}

void remove_tree(int parent, const char *name) {
    if (unlinkat(parent, name, 0) == 0) return;
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *folder = fd < 0 ? NULL : fdopendir(fd);
    for (struct dirent *each; folder && (each = readdir(folder));)
        if (strcmp(each->d_name, ".") != 0 && strcmp(each->d_name, "..") != 0) remove_tree(fd, each->d_name);
    if (folder) closedir(folder);
    else if (fd >= 0) close(fd);
    unlinkat(parent, name, AT_REMOVEDIR);
}
