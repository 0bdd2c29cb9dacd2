/* Raw DEFLATE (RFC 1951) from memory to memory. */
#ifndef ENCODERFILE_INFLATE_H
#define ENCODERFILE_INFLATE_H

#include <stddef.h>

/* Fills exactly `size` bytes of `out`; 0, or -1 with errno, which is EBADMSG for damaged data or another size. */
int inflate_all(const unsigned char *data, size_t length, unsigned char *out, size_t size);

#endif
