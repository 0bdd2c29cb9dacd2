/*
 * Folders that code may be run from. What lies in a folder is as trustworthy as everybody who can change the folder
 * or one above it; so all of them have to belong to us or to root, and nobody else may write there.
 */
#ifndef ENCODERFILE_FOLDER_H
#define ENCODERFILE_FOLDER_H

#include <sys/stat.h>
#include <sys/types.h>

struct trust {
    uid_t owner;  /* trusted beside us and root */
    int anybody;  /* ask nothing: the user said that the folder is his alone */
    mode_t make;  /* the mode of folders that are made when they are missing; 0: none is made */
};

/*
 * Opens the folder at the absolute `path` from the root on, part by part, and judges each part on its open descriptor.
 * The kernel follows no link: each is read, and is as good as its owner. A folder that others may write into is fine
 * when it is sticky and the next name in it is ours or root's, which nobody else can then rename.
 *
 * Returns an O_PATH descriptor, and in `real` (PATH_MAX bytes) the path without links, which only those who are
 * trusted can change; -1 with `why` and errno.
 */
int open_folder(const char *path, const struct trust *trust, char *real);

/* Whether only those who are trusted can change what `found` (of `fd`) is; 0, or -1 with `why`, which names `path`. */
int judge(const struct trust *trust, int fd, const struct stat *found, const char *path);

/* Removes a folder, or whatever bears that name, and all in it; follows no link. */
void remove_tree(int parent, const char *name);

#endif
