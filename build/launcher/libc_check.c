#define _GNU_SOURCE
#include "libc_check.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "report.h"

/* "2.36" as 2036; 0 if it is not a version. */
static int version(const char *text) {
    char *end;
    long major = strtol(text, &end, 10);
    return *end == '.' ? (int)(major * 1000 + strtol(end + 1, NULL, 10)) : 0;
}

/* The version that the C library at `path` contains; 0 if it contains none. */
static int libc_version(const char *path) {
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
            result = version(number);
            munmap(text, (size_t)file.st_size);
        }
    }
    close(fd);
    return result;
}

void check_libc(const char *libc) {
    const char *const places[][2] = {
        {"/lib64/ld-linux-x86-64.so.2", "/lib/x86_64-linux-gnu/libc.so.6"},
        {"/lib64/ld-linux-x86-64.so.2", "/lib64/libc.so.6"},
        {"/lib/ld-linux-aarch64.so.1", "/lib/aarch64-linux-gnu/libc.so.6"},
        {"/lib/ld-linux-aarch64.so.1", "/lib64/libc.so.6"}};
    int loader = 0, found = 0, needed = version(libc);
    for (unsigned i = 0; i < sizeof places / sizeof *places; i++)
        if (access(places[i][0], F_OK) == 0) {
            loader = 1;
            if (!found) found = libc_version(places[i][1]);
        }
    if (loader && (!found || found >= needed)) return;
    if (!loader) die("this machine has no GNU C library (glibc); the file needs version %s or newer", libc);
    die("this machine has version %d.%d of the GNU C library (glibc); the file needs version %s or newer: "
        "build it on an older system",
        found / 1000, found % 1000, libc);
}
