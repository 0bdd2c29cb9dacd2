#define _GNU_SOURCE
#include "trust.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "report.h"

#define UNMAPPED 65534 /* the user ID that a user namespace shows for an owner it has no number for */

/* Whether `owner` is the only member of `group`, as many systems set it up: by its name, /etc/passwd and /etc/group. */
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

/* Whether users other than the owner may write. An access control list shows as a group that may. */
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

/* Whether root may have no user ID here: in a user namespace `/` often belongs to nobody. */
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
    return because("%s belongs to another user, uid %u", path, (unsigned)found->st_uid);
}

static int writable_by_others(const char *path) {
    errno = EPERM;
    return because("other users can write to %s: run chmod go-w %s", path, path);
}

int check_trust(const struct trust *trust, int fd, const struct stat *found, const char *path) {
    if (trust->anybody) return 0;
    if (!known_owner(trust, found->st_uid)) return belongs_to_another(found, path);
    return others_write(fd, found) ? writable_by_others(path) : 0;
}

int check_ancestor(const struct trust *trust, int fd, const struct stat *found, const char *path, int shared) {
    if (trust->anybody) return 0;
    /* Where nobody else may write, only root can have created a folder whose owner has no user ID here. */
    int known = known_owner(trust, found->st_uid) || (!shared && found->st_uid == UNMAPPED && root_is_unmapped());
    if (!known) return belongs_to_another(found, path);
    if (S_ISLNK(found->st_mode) || !others_write(fd, found)) return 0;
    return found->st_mode & S_ISVTX ? 1 : writable_by_others(path);
}
