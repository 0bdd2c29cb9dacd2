/*
 * The footer of a file and what is packed in it: the runtime, and libraries that only a start with a GPU unpacks. Nothing in either is used before it was checked: every number
 * against the bytes that are there, header and index against the id.
 *
 *   file:    [launcher][payload][pack][footer]            see encoderfile/container.py; more packs in the payload
 *   pack:    [header][index][files][zeros to a page]      see encoderfile/pack.py
 */
#ifndef ENCODERFILE_PACK_H
#define ENCODERFILE_PACK_H

#include <stdint.h>

#include "sha256.h"

#define FOOTER_BYTES 88
#define ID_BYTES 32
#define PAGE 4096
#define ALIGNMENT 65536 /* parts of a file begin on a multiple of it, the largest page of any kernel: ALIGNMENT in
                           encoderfile/container.py */
#define PROGRAM "runtime" /* the file of the pack that is executed */

struct footer {
    char magic[8];
    uint64_t payload_offset, manifest_offset, manifest_length, pack_offset, pack_length, total;
};

#define USES_DRIVER 1u /* a flag: the runtime loads the machine's GPU driver */

struct header {
    char magic[8];
    char id[ID_BYTES]; /* hex digits: half of the sha256 of the rest of the header and the index */
    uint32_t entries;
    uint32_t index_bytes;
    char libc[12]; /* the oldest glibc that the runtime runs with, such as "2.28" */
    uint32_t flags;
};

/* One entry of the index; its path follows, and a zero byte. */
struct entry {
    uint64_t offset, packed, size; /* bytes; offset from the start of the pack */
    uint32_t mode, path_length;
    unsigned char checksum[SHA256_BYTES]; /* SHA-256 of the packed bytes */
};

struct pack {
    const unsigned char *base;
    char id[ID_BYTES + 1];
    char libc[12];
    unsigned flags, entries;
    struct entry *entry; /* sorted by path */
    const char **path;
};

/* Whether a footer can be that of a file of `size` bytes. */
int footer_fits(const struct footer *footer, uint64_t size);

/* Checks and reads header and index of a pack of `length` bytes; 0, or -1 with `why`. Never frees what it allocates. */
int read_pack(const unsigned char *base, uint64_t length, struct pack *pack);

/* Whether it contains the program that is executed: the runtime does, other packs do not. */
int has_program(const struct pack *pack);

/* The entry of that path, or -1. */
long find_entry(const struct pack *pack, const char *path);

/* Whether some entry lies in the folder of that path. */
int is_folder_of(const struct pack *pack, const char *path);

/* The content of an entry followed by a zero byte, to be freed; NULL with errno, which is EBADMSG for damage. */
unsigned char *content_of(const struct pack *pack, unsigned number);

#endif
