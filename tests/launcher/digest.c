/* Prints the SHA-256 of stdin, given to the launcher's code in pieces; with an argument, without the CPU's own. */
#include <stdio.h>

#include "sha256.h"

int main(int argc, char **argv) {
    static unsigned char data[1 << 20], out[SHA256_BYTES];
    size_t length = fread(data, 1, sizeof data, stdin), piece = 1;
    struct sha256 hash;
    (void)argv;
    sha256_start(&hash);
    if (argc > 1) hash.blocks = sha256_portable;
    else if (hash.blocks == sha256_portable) return 3; /* this processor has no such instructions */
    for (size_t at = 0; at < length; at += piece, piece = piece * 3 % 1000 + 1)
        sha256_add(&hash, data + at, piece < length - at ? piece : length - at);
    sha256_end(&hash, out);
    for (unsigned i = 0; i < sizeof out; i++) printf("%02x", out[i]);
    return 0;
}
