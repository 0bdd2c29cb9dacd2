/* The unpacked runtime: a folder that holds what the pack says, no more and no less. */
#ifndef ENCODERFILE_RUNTIME_H
#define ENCODERFILE_RUNTIME_H

#include "folder.h"
#include "pack.h"

/*
 * Compares the folder `name` in `parent` with the pack: every entry is there, of its kind and size, and nothing else
 * is; nobody else may change any of it. A file with the time that unpacking gives is taken as it was unpacked, one
 * with another time is read and compared. 0, or -1 with `why`; errno is ENOENT where there is no such folder.
 */
int check_runtime(const struct pack *pack, int parent, const char *name, const struct trust *trust);

/*
 * Unpacks into a new folder `name` in `parent` and waits until it is on the disk; 0, or -1 with `why` and errno, which
 * is EBADMSG where the pack is damaged. What was written stays then.
 */
int unpack_runtime(const struct pack *pack, int parent, const char *name);

#endif
