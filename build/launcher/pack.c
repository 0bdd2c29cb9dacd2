#define _GNU_SOURCE
#include "pack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "inflate.h"
#include "report.h"

#define MAX_PATH 1024
#define MAX_SIZE (1ull << 40)
#define MAX_RATIO 1032 /* the most bytes that one byte of DEFLATE can become */

_Static_assert(sizeof(struct header) == 64 && sizeof(struct entry) == 64, "as in encoderfile/pack.py");

int footer_fits(const struct footer *footer, uint64_t size) {
    if (size < FOOTER_BYTES || memcmp(footer->magic, "ENCFILE\1", 8) != 0 || footer->total != size) return 0;
    uint64_t end = size - FOOTER_BYTES, pack = footer->pack_offset, manifest = footer->manifest_offset;
    if (footer->payload_offset % PAGE || manifest % PAGE || pack % PAGE) return 0;
    if (footer->payload_offset == 0 || footer->payload_offset > manifest || manifest > pack || pack > end) return 0;
    uint64_t room = pack - manifest;
    return footer->pack_length == end - pack && footer->manifest_length <= room &&
           room - footer->manifest_length < ALIGNMENT;
}

/* The id that belongs to a header and its index. */
static void identity(const struct header *header, const unsigned char *index, char id[ID_BYTES]) {
    static const char digits[] = "0123456789abcdef";
    unsigned char out[SHA256_BYTES];
    struct sha256 hash;
    sha256_start(&hash);
    sha256_add(&hash, (const unsigned char *)header, sizeof header->magic);
    sha256_add(&hash, (const unsigned char *)&header->entries, sizeof *header - sizeof header->magic - ID_BYTES);
    sha256_add(&hash, index, header->index_bytes);
    sha256_end(&hash, out);
    for (unsigned i = 0; i < ID_BYTES; i++) id[i] = digits[i % 2 ? out[i / 2] & 15 : out[i / 2] >> 4];
}

/* Relative, and without a component that is empty, "." or "..". */
static int path_stays_inside(const char *path) {
    for (const char *part = path;; part = strchr(part, '/') + 1) {
        size_t length = strcspn(part, "/");
        if (length == 0 || length > 255 || (length <= 2 && !memcmp(part, "..", length))) return 0;
        if (!part[length]) return 1;
    }
}

/*
 * Stays in the runtime's folder: ".." only at its beginning, no more often than the link is deep. None of the folders
 * above is a link, because no entry lies below a link (see `nested`).
 */
static int link_stays_inside(const char *path, const char *target) {
    unsigned depth = 0;
    for (; *path; path++) depth += *path == '/';
    while (!strncmp(target, "../", 3)) {
        if (!depth--) return 0;
        target += 3;
    }
    return path_stays_inside(target);
}

static const char *fault_of(const struct pack *pack, unsigned number) {
    const struct entry *entry = &pack->entry[number];
    const char *path = pack->path[number];
    if (strlen(path) != entry->path_length || !path_stays_inside(path)) return "an invalid path";
    if (number && strcmp(pack->path[number - 1], path) >= 0) return "paths out of order";
    if (S_ISLNK(entry->mode)) {
        char target[MAX_PATH + 1] = "";
        if (entry->packed != entry->size || entry->size > MAX_PATH) return "an invalid link";
        memcpy(target, pack->base + entry->offset, entry->size);
        if (strlen(target) != entry->size || !link_stays_inside(path, target)) return "a link that points outside";
    } else if (entry->mode != (S_IFREG | 0644) && entry->mode != (S_IFREG | 0755)) {
        return "an invalid file mode";
    }
    return NULL;
}

/* Whether an entry lies below one that is a file or a link. */
static int nested(const struct pack *pack) {
    for (unsigned i = 0; i < pack->entries; i++)
        if (is_folder_of(pack, pack->path[i])) return 1;
    return 0;
}

/* Reads the index, whose bytes are those that the id is made of; NULL or what is wrong with it. */
static const char *read_entries(const struct header *header, uint64_t length, struct pack *pack) {
    const unsigned char *at = pack->base + sizeof *header, *end = at + header->index_bytes;
    uint64_t next = sizeof *header + header->index_bytes;
    for (unsigned i = 0; i < pack->entries; i++) {
        struct entry *entry = &pack->entry[i];
        if ((size_t)(end - at) < sizeof *entry) return "an index that is too short";
        memcpy(entry, at, sizeof *entry);
        at += sizeof *entry;
        if (entry->path_length > MAX_PATH || entry->path_length >= (size_t)(end - at) || at[entry->path_length])
            return "an invalid path";
        pack->path[i] = (const char *)at;
        at += entry->path_length + 1;
        if (entry->offset != next || entry->packed > length - next) return "a file outside of it";
        if (entry->size > MAX_SIZE || entry->size < entry->packed || entry->size > MAX_RATIO * entry->packed)
            return "an invalid size";
        next += entry->packed;
        const char *fault = fault_of(pack, i);
        if (fault) return fault;
    }
    if (at != end) return "an index that is too long";
    if (length - next >= PAGE) return "bytes that belong to no file";
    for (; next < length; next++)
        if (pack->base[next]) return "bytes that belong to no file";
    return NULL;
}

int read_pack(const unsigned char *base, uint64_t length, struct pack *pack) {
    struct header header;
    if (length < sizeof header) return because("it is too short");
    memcpy(&header, base, sizeof header);
    if (memcmp(header.magic, "ENCPACK\2", 8) != 0) return because("it does not begin with the signature of a pack");
    if (header.index_bytes > length - sizeof header || header.entries > header.index_bytes / sizeof(struct entry))
        return because("its index is longer than it");
    *pack = (struct pack){.base = base, .flags = header.flags, .entries = header.entries};
    identity(&header, base + sizeof header, pack->id);
    if (memcmp(pack->id, header.id, ID_BYTES) != 0) return because("its index does not match its id");
    memcpy(pack->libc, header.libc, sizeof pack->libc - 1);
    pack->entry = calloc(pack->entries + 1, sizeof *pack->entry);
    pack->path = calloc(pack->entries + 1, sizeof *pack->path);
    if (!pack->entry || !pack->path) return because("there is not enough memory for its index");
    const char *fault = read_entries(&header, length, pack);
    if (fault) return because("its index contains %s", fault);
    if (nested(pack)) return because("its index contains a file that is also a folder");
    return 0;
}

int has_program(const struct pack *pack) {
    long program = find_entry(pack, PROGRAM);
    return program >= 0 && pack->entry[program].mode == (S_IFREG | 0755);
}

/* The first entry whose path is not less than `path`. */
static unsigned first_from(const struct pack *pack, const char *path) {
    unsigned low = 0, high = pack->entries;
    while (low < high) {
        unsigned middle = low + (high - low) / 2;
        if (strcmp(pack->path[middle], path) < 0) low = middle + 1;
        else high = middle;
    }
    return low;
}

long find_entry(const struct pack *pack, const char *path) {
    unsigned number = first_from(pack, path);
    return number < pack->entries && !strcmp(pack->path[number], path) ? (long)number : -1;
}

int is_folder_of(const struct pack *pack, const char *path) {
    char inside[MAX_PATH + 2];
    size_t length = strlen(path);
    if (length > MAX_PATH) return 0;
    memcpy(inside, path, length);
    memcpy(inside + length, "/", 2);
    unsigned number = first_from(pack, inside);
    return number < pack->entries && !strncmp(pack->path[number], inside, length + 1);
}

unsigned char *content_of(const struct pack *pack, unsigned number) {
    const struct entry *entry = &pack->entry[number];
    const unsigned char *packed = pack->base + entry->offset;
    unsigned char *data, found[SHA256_BYTES];
    struct sha256 hash;
    sha256_start(&hash);
    sha256_add(&hash, packed, entry->packed);
    sha256_end(&hash, found);
    if (memcmp(found, entry->checksum, sizeof found) != 0) {
        errno = EBADMSG;
        return NULL;
    }
    if (!(data = malloc(entry->size + 1))) return NULL;
    data[entry->size] = '\0';
    if (entry->packed == entry->size) {
        if (entry->size) memcpy(data, packed, entry->size);
    } else if (inflate_all(packed, entry->packed, data, entry->size) != 0) {
        free(data);
        return NULL;
    }
    return data;
}
