/*
 * The launcher's own code under sanitizers, one case after another in one process: `fuzz FILE COPY CACHE`, cases on stdin.
 *
 *   flip AT BITS     the file with those bits of a byte flipped
 *   seal AT BITS     the same with the pack's id made to match again, which reaches the code after that check
 *   truncate LENGTH  the file's first bytes
 *   pack LENGTH      the pack's first bytes alone, in memory of exactly that size
 *   inflate NUMBER   an entry's packed bytes: every bit flipped, every length
 *
 * Each has to end with the runtime's answer, or with one sentence and exit code 1, and the cache may contain no runtime
 * but an intact one. Prints each case that does not.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "folder.h"
#include "inflate.h"
#include "launch.h"
#include "pack.h"
#include "report.h"

static unsigned char *file;
static size_t size;
static struct footer footer;
static struct pack good;
static const char *copy, *cache;
static int faults;

static void fault(const char *sentence, const char *said) {
    printf("%s: %s\n", sentence, said);
    faults++;
}

static void put(const unsigned char *data, size_t length) {
    int fd = open(copy, O_WRONLY | O_CREAT | O_TRUNC, 0755);
    if (fd < 0 || write(fd, data, length) != (ssize_t)length || close(fd) != 0) abort();
}

static void seal(unsigned char *pack) {
    struct header header;
    unsigned char out[SHA256_BYTES];
    char digits[2 * SHA256_BYTES + 1];
    struct sha256 hash;
    memcpy(&header, pack, sizeof header);
    if (header.index_bytes > footer.pack_length - sizeof header) return;
    sha256_start(&hash);
    sha256_add(&hash, pack, 8);
    sha256_add(&hash, pack + 8 + ID_BYTES, sizeof header - 8 - ID_BYTES + header.index_bytes);
    sha256_end(&hash, out);
    for (int i = 0; i < SHA256_BYTES; i++) sprintf(digits + 2 * i, "%02x", out[i]);
    memcpy(pack + 8, digits, ID_BYTES);
}

/* Starts the copy; returns its exit status, and in `said` its stdout and stderr. */
static int start(char *said, size_t room) {
    int ends[2];
    if (pipe(ends) != 0) abort();
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDOUT_FILENO);
        dup2(ends[1], STDERR_FILENO);
        alarm(60);
        launch(copy, (char *[]){(char *)copy, NULL});
    }
    close(ends[1]);
    size_t used = 0;
    for (ssize_t count; (count = read(ends[0], said + used, room - 1 - used)) > 0;) used += (size_t)count;
    said[used] = '\0';
    close(ends[0]);
    int status = 0;
    waitpid(child, &status, 0);
    return status;
}

/* Empties the cache, in which only the good runtime may be; a sealed pack may have any id. */
static void check_cache(const char *name, int sealed) {
    DIR *folder = opendir(cache);
    for (struct dirent *each; folder && (each = readdir(folder));) {
        size_t length = strlen(each->d_name);
        if (each->d_name[0] == '.' && length < 3) continue;
        if (length > 5 && !strcmp(each->d_name + length - 5, ".lock")) continue;
        if (!sealed && strcmp(each->d_name, good.id) != 0) fault(name, each->d_name);
        remove_tree(dirfd(folder), each->d_name);
    }
    if (folder) closedir(folder);
}

static void try(const char *name, int sealed) {
    char said[4096];
    int status = start(said, sizeof said);
    const char *end = strchr(said, '\n');
    int sentence = !strncmp(said, "error: ", 7) && end && !end[1];
    int ran = WIFEXITED(status) && WEXITSTATUS(status) == 0 && !strcmp(said, "ran\n");
    int refused = WIFEXITED(status) && WEXITSTATUS(status) == 1 && sentence;
    /* A changed program under another id is another runtime, which may print anything. */
    if (!ran && !refused && !(sealed && WIFEXITED(status) && !strstr(said, "Sanitizer"))) fault(name, said);
    check_cache(name, sealed);
}

static void flip(const char *name, size_t at, int bits, int sealed) {
    unsigned char *changed = malloc(size);
    memcpy(changed, file, size);
    changed[at] ^= (unsigned char)bits;
    if (sealed) seal(changed + footer.pack_offset);
    put(changed, size);
    free(changed);
    try(name, sealed);
}

static void read_part(size_t length) {
    struct pack pack = {0};
    unsigned char *part = malloc(length);
    memcpy(part, file + footer.pack_offset, length);
    if (read_pack(part, length, &pack) == 0 && length < footer.pack_length) fault("a part of a pack is read", "");
    free(pack.entry);
    free(pack.path);
    free(part);
}

static void inflate_part(const unsigned char *data, size_t length, size_t unpacked) {
    unsigned char *in = malloc(length), *out = malloc(unpacked);
    memcpy(in, data, length);
    inflate_all(in, length, out, unpacked);
    free(in);
    free(out);
}

static void inflate_any(unsigned number) {
    const struct entry *entry = &good.entry[number];
    unsigned char *data = malloc(entry->packed);
    memcpy(data, good.base + entry->offset, entry->packed);
    for (size_t length = 0; length < entry->packed; length++) inflate_part(data, length, entry->size);
    for (size_t bit = 0; bit < 8 * entry->packed; bit++) {
        data[bit / 8] ^= (unsigned char)(1 << bit % 8);
        inflate_part(data, entry->packed, entry->size);
        data[bit / 8] ^= (unsigned char)(1 << bit % 8);
    }
    free(data);
}

int main(int argc, char **argv) {
    struct stat found;
    int fd = argc == 4 ? open(argv[1], O_RDONLY) : -1;
    if (fd < 0 || fstat(fd, &found) != 0) return 2;
    size = (size_t)found.st_size;
    file = malloc(size);
    copy = argv[2];
    cache = argv[3];
    if (read(fd, file, size) != (ssize_t)size) return 2;
    memcpy(&footer, file + size - FOOTER_BYTES, sizeof footer);
    if (read_pack(file + footer.pack_offset, footer.pack_length, &good) != 0) return 2;
    setenv("ENCODERFILE_CACHE_DIR", cache, 1);

    char name[64], kind[16];
    unsigned cases = 0;
    for (unsigned long at, bits; fgets(name, sizeof name, stdin); cases++) {
        name[strcspn(name, "\n")] = '\0';
        if (sscanf(name, "%15s %lu %lu", kind, &at, &bits) < 2) return 2;
        if (!strcmp(kind, "flip")) flip(name, at, (int)bits, 0);
        else if (!strcmp(kind, "seal")) flip(name, at, (int)bits, 1);
        else if (!strcmp(kind, "truncate")) put(file, at), try(name, 0);
        else if (!strcmp(kind, "pack")) read_part(at);
        else if (!strcmp(kind, "inflate")) inflate_any((unsigned)at);
        else return 2;
    }
    put(file, size);
    char said[4096];
    if (start(said, sizeof said) != 0 || strcmp(said, "ran\n") != 0) fault("the good file does not start", said);
    printf("%u cases, %d faults\n", cases, faults);
    return faults != 0;
}
