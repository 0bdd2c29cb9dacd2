/* SHA-256 (FIPS 180-4). */
#ifndef ENCODERFILE_SHA256_H
#define ENCODERFILE_SHA256_H

#include <stddef.h>
#include <stdint.h>

#include "sha256_cpu.h"

#define SHA256_BYTES 32

struct sha256 {
    uint32_t state[8];
    uint64_t length; /* bytes so far */
    unsigned char rest[64];
    sha256_blocks *blocks;
};

/* For any processor. */
sha256_blocks sha256_portable;

void sha256_start(struct sha256 *hash);
void sha256_add(struct sha256 *hash, const unsigned char *data, size_t length);
void sha256_end(struct sha256 *hash, unsigned char out[SHA256_BYTES]);

#endif
