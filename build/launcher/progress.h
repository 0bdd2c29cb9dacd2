/* What a user sees while the runtime is unpacked: percents on a terminal at once, elsewhere a line now and then. */
#ifndef ENCODERFILE_PROGRESS_H
#define ENCODERFILE_PROGRESS_H

#include <stdint.h>
#include <sys/types.h>

struct progress {
    uint64_t *done; /* bytes, shared by all processes; NULL where there is no memory for it */
    pid_t teller;
};

/* Begins to tell of `total` bytes, from a process of its own. */
struct progress start_progress(uint64_t total);

void add_progress(const struct progress *progress, uint64_t bytes);

void end_progress(struct progress *progress);

#endif
