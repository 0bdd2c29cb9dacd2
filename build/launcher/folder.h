/* Opening and removing folders by open descriptors, so that nobody can exchange one in between. */
#ifndef ENCODERFILE_FOLDER_H
#define ENCODERFILE_FOLDER_H

#include "trust.h"

/*
 * Opens the folder at the absolute `path` from the root down and checks each component on its open descriptor; creates
 * missing folders with the mode `make` unless that is 0. The kernel follows no link: each is read here, and is trusted
 * as its owner is. A folder that other users may write into is accepted when it is sticky and the next component
 * belongs to this user or to root, because then nobody else can rename that.
 *
 * Returns an O_PATH descriptor, and in `real` (PATH_MAX bytes) the path without links, which only trusted users can
 * change; -1 with `why` and errno.
 */
int open_folder(const char *path, const struct trust *trust, mode_t make, char *real);

/* Opens the folder `name` in `parent` for reading, not through a link; -1 with errno. */
int open_subfolder(int parent, const char *name);

/* Removes a folder, or anything else of that name, with all that is in it; follows no link. */
void remove_tree(int parent, const char *name);

#endif
