/* A cache folder: one runtime for each id in it, unpacked once and shared by all files that hold it. */
#ifndef ENCODERFILE_CACHE_H
#define ENCODERFILE_CACHE_H

#include "folder.h"
#include "pack.h"

/*
 * Sees to it that the runtime of `pack` lies whole in the open folder `cache`, unpacking it where it is missing or
 * was changed; 0, or -1 with `why` and errno, which is EBADMSG where the file itself is damaged.
 */
int provide_runtime(const struct pack *pack, int cache, const struct trust *trust);

#endif
