#define _GNU_SOURCE
#include "launch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "cache.h"
#include "folder.h"
#include "pack.h"
#include "report.h"
#include "runtime.h"

#define NO_USER ((uid_t)-1)
#define DAMAGED "the runtime inside the file is damaged"

/* The file that is started: what is packed in it, and whose it is. */
struct file {
    struct pack pack;
    uid_t owner;
};

static char reasons[4000];
static int untrusted; /* whether one of them is whose a folder is, or who may write there */

static void note(const char *folder) {
    size_t used = strlen(reasons);
    snprintf(reasons + used, sizeof reasons - used, "%s%s (%s)", used ? ", " : "", folder, why);
}

/* Where the disk gives no bytes of a mapped file. */
static void on_bus_error(int signal) {
    static const char sentence[] = "error: the disk gives not all of the file: copy it again\n";
    (void)signal;
    if (write(STDERR_FILENO, sentence, sizeof sentence - 1) < 0) _exit(1);
    _exit(1);
}

static void read_file(const char *path, struct file *file) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) die("the file cannot be read by this user: chmod a+r it");
    struct stat found;
    struct footer footer;
    if (fstat(fd, &found) != 0 || found.st_size < FOOTER_BYTES ||
        pread(fd, &footer, sizeof footer, found.st_size - FOOTER_BYTES) != (ssize_t)sizeof footer ||
        !footer_fits(&footer, (uint64_t)found.st_size))
        die("the file is cut or damaged, its end is missing: copy it again");
    if (footer.pack_length == 0) die(DAMAGED ", it is empty: copy the file again");
    signal(SIGBUS, on_bus_error);
    const unsigned char *pack = mmap(NULL, footer.pack_length, PROT_READ, MAP_PRIVATE, fd, (off_t)footer.pack_offset);
    close(fd);
    if (pack == MAP_FAILED) die("the file cannot be mapped into memory: %s", strerror(errno));
    file->owner = found.st_uid;
    if (read_pack(pack, footer.pack_length, &file->pack) != 0) die(DAMAGED ", %s: copy the file again", why);
}

/* Becomes the runtime in the cache folder `real`; returns only when that failed. */
static void become(const char *real, const char *id, char **argv) {
    char program[PATH_MAX + ID_BYTES + 20], *libraries;
    snprintf(program, sizeof program, "%s/%s/" PROGRAM, real, id);
    /* The runtime's own libraries come first: its program needs libz, which a bare machine may lack. */
    const char *before = getenv("LD_LIBRARY_PATH");
    char *kept = before && *before ? strdup(before) : NULL;
    if (asprintf(&libraries, "%s/%s/_internal%s%s", real, id, kept ? ":" : "", kept ? kept : "") < 0)
        die("no memory for its environment");
    setenv("LD_LIBRARY_PATH", libraries, 1);
    execv(program, argv);
    because("%s", strerror(errno));
    if (kept) setenv("LD_LIBRARY_PATH", kept, 1);
    else unsetenv("LD_LIBRARY_PATH");
    free(libraries);
    free(kept);
}

/* Tries a cache folder; `beside`: one that came with the file, which is never changed. Returns when it cannot serve. */
static void try_cache(const char *folder, const struct trust *trust, int beside, const struct file *file, char **argv) {
    char real[PATH_MAX];
    struct statvfs disk;
    int cache = open_folder(folder, trust, real);
    if (cache < 0) {
        untrusted |= !beside && errno == EPERM;
        if (!beside || errno != ENOENT) note(folder);
        return;
    }
    int failed = statvfs(real, &disk) == 0 && disk.f_flag & ST_NOEXEC ? because("mounted noexec") : 0;
    if (!failed) {
        failed = beside ? check_runtime(&file->pack, cache, file->pack.id, trust)
                        : provide_runtime(&file->pack, cache, trust);
        if (failed && !beside && errno == EBADMSG) die(DAMAGED ": copy the file again");
        if (failed && beside && errno == ENOENT) goto end;
    }
    if (!failed) become(real, file->pack.id, argv);
    note(folder);
end:
    close(cache);
}

static void try_below(const char *base, const char *name, mode_t make, const struct file *file, char **argv) {
    const struct trust trust = {.owner = NO_USER, .make = make};
    char folder[PATH_MAX];
    if (base && *base && snprintf(folder, sizeof folder, "%s/%s", base, name) < (int)sizeof folder)
        try_cache(folder, &trust, 0, file, argv);
}

static void try_beside(const char *self, const struct file *file, char **argv) {
    const struct trust trust = {.owner = file->owner};
    char folder[PATH_MAX + 20];
    snprintf(folder, sizeof folder, "%.*s/.encoderfile", (int)(strrchr(self, '/') - self), self);
    try_cache(folder, &trust, 1, file, argv);
}

static void try_named(const char *folder, const struct file *file, char **argv) {
    const char *trusted = getenv("ENCODERFILE_CACHE_TRUSTED");
    const struct trust trust = {.owner = NO_USER, .anybody = trusted && !strcmp(trusted, "1"), .make = 0755};
    try_cache(folder, &trust, 0, file, argv);
}

static void try_usual(const struct file *file, char **argv) {
    char own[40];
    snprintf(own, sizeof own, "encoderfile-%u", (unsigned)geteuid());
    try_below(getenv("XDG_CACHE_HOME"), "encoderfile", 0755, file, argv);
    try_below(getenv("HOME"), ".cache/encoderfile", 0755, file, argv);
    try_below(getenv("TMPDIR"), own, 0700, file, argv);
    try_below("/var/tmp", own, 0700, file, argv);
    try_below("/tmp", own, 0700, file, argv);
    try_below("/dev/shm", own, 0700, file, argv);
}

void launch(const char *self, char **argv) {
    struct file file;
    read_file(self, &file);
    try_beside(self, &file, argv);
    const char *named = getenv("ENCODERFILE_CACHE_DIR");
    if (named && *named) try_named(named, &file, argv);
    else try_usual(&file, argv);
    die("the runtime cannot be unpacked into any of %s: set ENCODERFILE_CACHE_DIR to a folder that can be written and "
        "executed from%s",
        reasons, named && untrusted ? ", or ENCODERFILE_CACHE_TRUSTED=1 if nobody else can reach this one" : "");
}
