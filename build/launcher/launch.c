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

#include "become.h"
#include "cache.h"
#include "check.h"
#include "folder.h"
#include "pack.h"
#include "report.h"

#define NO_USER ((uid_t)-1)
#define DAMAGED "the runtime inside the file is damaged"

/* The file that was started: the runtime in it, and its owner. */
struct file {
    struct pack pack;
    uid_t owner;
};

static char reasons[4000]; /* why each folder that was tried is not usable */
static int untrusted;      /* whether one reason is that other users can change a folder */

static void note(const char *folder) {
    size_t used = strlen(reasons);
    snprintf(reasons + used, sizeof reasons - used, "%s%s (%s)", used ? ", " : "", folder, why);
}

/* Called when the disk cannot read a part of the mapped file. */
static void on_bus_error(int signal) {
    static const char sentence[] = "error: the disk cannot read the whole file: copy it again\n";
    (void)signal;
    if (write(STDERR_FILENO, sentence, sizeof sentence - 1) < 0) _exit(1);
    _exit(1);
}

static void read_file(const char *path, struct file *file) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) die("this user cannot read the file: run chmod a+r on it");
    struct stat found;
    struct footer footer;
    if (fstat(fd, &found) != 0 || found.st_size < FOOTER_BYTES ||
        pread(fd, &footer, sizeof footer, found.st_size - FOOTER_BYTES) != (ssize_t)sizeof footer ||
        !footer_fits(&footer, (uint64_t)found.st_size))
        die("the file is truncated or damaged, its end is missing: copy it again");
    if (footer.pack_length == 0) die(DAMAGED ", it is empty: copy the file again");
    signal(SIGBUS, on_bus_error);
    const unsigned char *pack = mmap(NULL, footer.pack_length, PROT_READ, MAP_PRIVATE, fd, (off_t)footer.pack_offset);
    close(fd);
    if (pack == MAP_FAILED) die("the file cannot be mapped into memory: %s", strerror(errno));
    file->owner = found.st_uid;
    if (read_pack(pack, footer.pack_length, &file->pack) != 0) die(DAMAGED ", %s: copy the file again", why);
}

/*
 * Tries a cache folder, which is created with mode `make`; 0: it came with the file and is never changed. Returns if it
 * is not usable.
 */
static void try_cache(const char *folder, const struct trust *trust, mode_t make, const struct file *file,
                      char **argv) {
    int shipped = !make;
    char real[PATH_MAX];
    struct statvfs disk;
    int cache = open_folder(folder, trust, make, real);
    if (cache < 0) {
        untrusted |= !shipped && errno == EPERM;
        if (!shipped || errno != ENOENT) note(folder);
        return;
    }
    int failed = statvfs(real, &disk) == 0 && disk.f_flag & ST_NOEXEC ? because("mounted noexec") : 0;
    if (!failed) {
        failed = shipped ? check_runtime(&file->pack, cache, file->pack.id, trust)
                         : provide_runtime(&file->pack, cache, trust);
        if (failed && !shipped && errno == EBADMSG) die(DAMAGED ": copy the file again");
        if (failed && shipped && errno == ENOENT) goto end;
    }
    if (!failed) {
        char runtime[PATH_MAX + ID_BYTES + 2];
        snprintf(runtime, sizeof runtime, "%s/%s", real, file->pack.id);
        become(&file->pack, runtime, argv);
    }
    note(folder);
end:
    close(cache);
}

static void try_below(const char *base, const char *name, mode_t make, const struct file *file, char **argv) {
    const struct trust trust = {.owner = NO_USER};
    char folder[PATH_MAX];
    if (base && *base && snprintf(folder, sizeof folder, "%s/%s", base, name) < (int)sizeof folder)
        try_cache(folder, &trust, make, file, argv);
}

static void try_shipped(const char *self, const struct file *file, char **argv) {
    const struct trust trust = {.owner = file->owner};
    char folder[PATH_MAX + 20];
    snprintf(folder, sizeof folder, "%.*s/.encoderfile", (int)(strrchr(self, '/') - self), self);
    try_cache(folder, &trust, 0, file, argv);
}

static void try_named(const char *folder, const struct file *file, char **argv) {
    const char *trusted = getenv("ENCODERFILE_CACHE_TRUSTED");
    const struct trust trust = {.owner = NO_USER, .anybody = trusted && !strcmp(trusted, "1")};
    try_cache(folder, &trust, 0755, file, argv);
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
    try_shipped(self, &file, argv);
    const char *named = getenv("ENCODERFILE_CACHE_DIR");
    if (named && *named) try_named(named, &file, argv);
    else try_usual(&file, argv);
    die("the runtime cannot be unpacked into any of %s: set ENCODERFILE_CACHE_DIR to a folder where files can be "
        "written and executed%s",
        reasons, named && untrusted ? ", or ENCODERFILE_CACHE_TRUSTED=1 if nobody else can access this one" : "");
}
