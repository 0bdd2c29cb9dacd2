/* libdeflate's decoder, taken in as a part of this program: small, and the fastest for whole buffers. */
#include "inflate.h"

#include <lib/deflate_decompress.c>
#include <lib/utils.c>
#include <lib/x86/cpu_features.c>
#include <lib/arm/cpu_features.c>

int inflate_all(const unsigned char *data, size_t length, unsigned char *out, size_t size) {
    struct libdeflate_decompressor *decompressor = libdeflate_alloc_decompressor();
    if (!decompressor) return -1;
    enum libdeflate_result result = libdeflate_deflate_decompress(decompressor, data, length, out, size, NULL);
    libdeflate_free_decompressor(decompressor);
    return result == LIBDEFLATE_SUCCESS ? 0 : -1;
}
