/* Starting the runtime: with its own loader and C library, or with those of the machine. */
#ifndef ENCODERFILE_BECOME_H
#define ENCODERFILE_BECOME_H

#include "pack.h"

/* Becomes the runtime of `pack`, which lies in `folder`, an absolute path; returns only if that fails, with `why`. */
void become(const struct pack *pack, const char *folder, char **argv);

#endif
