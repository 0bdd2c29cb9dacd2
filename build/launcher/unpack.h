/* Unpacking a runtime, in several processes. */
#ifndef ENCODERFILE_UNPACK_H
#define ENCODERFILE_UNPACK_H

#include "pack.h"

/*
 * Unpacks into a new folder `name` in `parent` and waits until it is on disk; 0, or -1 with `why` and errno, which is
 * EBADMSG where the pack is damaged. What was written until then stays.
 */
int unpack_runtime(const struct pack *pack, int parent, const char *name);

#endif
