/*
 * libdeflate's decoder, compiled as a part of this program. Not zstd, although files would be 10 MB smaller: it would
 * need another package in the builder and in every file, and a minute more to freeze a runtime.
 */
#include "inflate.h"

#include <errno.h>

#include <lib/deflate_decompress.c>
#include <lib/utils.c>
#include <lib/x86/cpu_features.c>
#include <lib/arm/cpu_features.c>

int inflate_all(const unsigned char *data, size_t length, unsigned char *out, size_t size) {
    struct libdeflate_decompressor *decompressor = libdeflate_alloc_decompressor();
    if (!decompressor) return -1;
    enum libdeflate_result result = libdeflate_deflate_decompress(decompressor, data, length, out, size, NULL);
    libdeflate_free_decompressor(decompressor);
    if (result == LIBDEFLATE_SUCCESS) return 0;
    errno = EBADMSG;
    return -1;
}
