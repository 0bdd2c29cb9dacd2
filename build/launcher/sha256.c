#include "sha256.h"

#include <string.h>

const uint32_t sha256_constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static uint32_t rotated(uint32_t value, unsigned bits) { return value >> bits | value << (32 - bits); }

static void block(uint32_t *state, const unsigned char *data) {
    uint32_t words[64];
    for (unsigned i = 0; i < 16; i++) {
        uint32_t word;
        memcpy(&word, data + 4 * i, 4);
        words[i] = __builtin_bswap32(word);
    }
    for (unsigned i = 16; i < 64; i++) {
        uint32_t a = words[i - 15], b = words[i - 2];
        words[i] = words[i - 16] + (rotated(a, 7) ^ rotated(a, 18) ^ a >> 3) + words[i - 7] +
                   (rotated(b, 17) ^ rotated(b, 19) ^ b >> 10);
    }
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
    uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
    for (unsigned i = 0; i < 64; i++) {
        uint32_t one = h + (rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25)) + ((e & f) ^ (~e & g)) +
                       sha256_constants[i] + words[i];
        uint32_t two = (rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
        h = g, g = f, f = e, e = d + one;
        d = c, c = b, b = a, a = one + two;
    }
    const uint32_t after[8] = {a, b, c, d, e, f, g, h};
    for (unsigned i = 0; i < 8; i++) state[i] += after[i];
}

void sha256_portable(uint32_t state[8], const unsigned char *data, size_t count) {
    for (; count; count--, data += 64) block(state, data);
}

void sha256_start(struct sha256 *hash) {
    static const uint32_t first[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    memcpy(hash->state, first, sizeof first);
    hash->length = 0;
    hash->blocks = cpu_blocks();
    if (!hash->blocks) hash->blocks = sha256_portable;
}

void sha256_add(struct sha256 *hash, const unsigned char *data, size_t length) {
    while (length) {
        size_t used = hash->length % 64, taken = 64 - used < length ? 64 - used : length;
        if (taken == 64) {
            taken = length - length % 64;
            hash->blocks(hash->state, data, taken / 64);
        } else {
            memcpy(hash->rest + used, data, taken);
            if (used + taken == 64) hash->blocks(hash->state, hash->rest, 1);
        }
        hash->length += taken;
        data += taken;
        length -= taken;
    }
}

void sha256_end(struct sha256 *hash, unsigned char out[SHA256_BYTES]) {
    uint64_t bits = __builtin_bswap64(hash->length * 8);
    static const unsigned char padding[64] = {0x80};
    sha256_add(hash, padding, 1 + (119 - hash->length % 64) % 64);
    sha256_add(hash, (const unsigned char *)&bits, 8);
    for (unsigned i = 0; i < 8; i++) {
        uint32_t word = __builtin_bswap32(hash->state[i]);
        memcpy(out + 4 * i, &word, 4);
    }
}
