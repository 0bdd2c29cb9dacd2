/*
 * Who can change a folder. What lies in a folder is as trustworthy as everybody who can change the folder or one above
 * it: so all of them have to belong to this user or to root, and nobody else may write there.
 */
#ifndef ENCODERFILE_TRUST_H
#define ENCODERFILE_TRUST_H

#include <sys/stat.h>
#include <sys/types.h>

struct trust {
    uid_t owner;  /* trusted in addition to this user and root */
    int anybody;  /* check nothing: the user said that nobody else can access the folder */
};

/* Whether only trusted users can change `found` (open as `fd`); 0, or -1 with `why`, which names `path`, and errno. */
int check_trust(const struct trust *trust, int fd, const struct stat *found, const char *path);

/*
 * The same for a folder or link above; `shared`: other users may write into the folder that it lies in. 0, or 1 when
 * other users may also write into this one, which is sticky; -1 with `why` and errno.
 */
int check_ancestor(const struct trust *trust, int fd, const struct stat *found, const char *path, int shared);

#endif
