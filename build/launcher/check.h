/* Whether an unpacked runtime is intact: a folder that contains what the pack says, no more and no less. */
#ifndef ENCODERFILE_CHECK_H
#define ENCODERFILE_CHECK_H

#include "pack.h"
#include "trust.h"

/* The modification time of unpacked files: 2000-01-01, which every file system and archive can store to the second. */
#define UNPACKED_TIME 946684800

/*
 * Compares the folder `name` in `parent` with the pack: every entry is there with its type and size, and nothing else
 * is; nobody else can change any of it. A file with UNPACKED_TIME counts as unchanged, one with another time is read
 * and compared. 0, or -1 with `why`; errno is ENOENT where there is no such folder.
 */
int check_runtime(const struct pack *pack, int parent, const char *name, const struct trust *trust);

#endif
