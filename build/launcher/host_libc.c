#define _GNU_SOURCE
#include "host_libc.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#if defined __x86_64__
const char *const host_loader = "/lib64/ld-linux-x86-64.so.2";
#elif defined __aarch64__
const char *const host_loader = "/lib/ld-linux-aarch64.so.1";
#endif

int libc_version(const char *text) {
    char *end;
    long major = strtol(text, &end, 10);
    return *end == '.' ? (int)(major * 1000 + strtol(end + 1, NULL, 10)) : 0;
}

/* The version that the C library at `path` says it is; 0 if it says none. */
static int version_in(const char *path) {
    static const char said[] = " release version ";
    int fd = open(path, O_RDONLY | O_CLOEXEC), result = 0;
    struct stat file;
    if (fd < 0) return 0;
    if (fstat(fd, &file) == 0 && file.st_size > 64) {
        char *text = mmap(NULL, (size_t)file.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (text != MAP_FAILED) {
            char *found = memmem(text, (size_t)file.st_size - 16, said, sizeof said - 1);
            char number[16] = "";
            if (found) memcpy(number, found + sizeof said - 1, sizeof number - 1);
            result = libc_version(number);
            munmap(text, (size_t)file.st_size);
        }
    }
    close(fd);
    return result;
}

int host_libc(void) {
    char loader[PATH_MAX], libc[PATH_MAX + 20];
    if (!realpath(host_loader, loader)) return 0;
    /* The library lies beside its loader, whatever the distribution calls that folder. */
    snprintf(libc, sizeof libc, "%.*s/libc.so.6", (int)(strrchr(loader, '/') - loader), loader);
    return version_in(libc);
}
