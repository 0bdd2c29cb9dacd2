/* A cache folder: one runtime per id, unpacked once and shared by all files that contain it. */
#ifndef ENCODERFILE_CACHE_H
#define ENCODERFILE_CACHE_H

#include "pack.h"
#include "trust.h"

/*
 * Makes sure that the runtime of `pack` is intact in the open folder `cache`, and unpacks it where it is missing or was
 * changed; 0, or -1 with `why` and errno, which is EBADMSG where the file itself is damaged.
 */
int provide_runtime(const struct pack *pack, int cache, const struct trust *trust);

#endif
