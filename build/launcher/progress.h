/* Progress while the runtime is unpacked: on a terminal at once, elsewhere a line every ten seconds. */
#ifndef ENCODERFILE_PROGRESS_H
#define ENCODERFILE_PROGRESS_H

#include <stdint.h>
#include <sys/types.h>

struct progress {
    uint64_t *done; /* bytes, in memory shared by all processes; NULL without memory for it */
    pid_t reporter; /* the process that prints */
};

/* Starts a process that prints how many of `total` bytes are done. */
struct progress start_progress(uint64_t total);

void add_progress(const struct progress *progress, uint64_t bytes);

void end_progress(struct progress *progress);

#endif
