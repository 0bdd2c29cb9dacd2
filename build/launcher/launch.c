#define _GNU_SOURCE
#include "launch.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
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

/*
 * The runtime asks the launcher for what it does not always need, the libraries of CUDA: with this variable, which says
 * where another pack lies, OFFSET:LENGTH, the launcher unpacks that one and prints the path of its folder.
 */
#define OTHER_PACK "ENCODERFILE_UNPACK"
#define OTHER_SUBJECT "a pack of libraries"

/* The file that was started: the pack that is unpacked, whether it is the runtime, and the file's owner. */
struct file {
    struct pack pack;
    int is_runtime;
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

/* Where the pack lies. */
static void find_pack(const struct footer *footer, struct file *file, uint64_t *offset, uint64_t *length) {
    const char *other = getenv(OTHER_PACK);
    file->is_runtime = !other;
    *offset = footer->pack_offset;
    *length = footer->pack_length;
    if (!other) return;
    subject = OTHER_SUBJECT;
    uint64_t from = footer->payload_offset, to = footer->manifest_offset;
    int used = 0;
    if (sscanf(other, "%20" SCNu64 ":%20" SCNu64 "%n", offset, length, &used) != 2 || other[used] || *offset % PAGE ||
        *offset < from || *offset > to || *length > to - *offset)
        die(OTHER_PACK " does not name a part of the file: unset it");
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
    uint64_t offset, length;
    find_pack(&footer, file, &offset, &length);
    if (length == 0) die("%s inside the file is damaged, it is empty: copy the file again", subject);
    signal(SIGBUS, on_bus_error);
    const unsigned char *pack = mmap(NULL, length, PROT_READ, MAP_PRIVATE, fd, (off_t)offset);
    close(fd);
    if (pack == MAP_FAILED) die("the file cannot be mapped into memory: %s", strerror(errno));
    file->owner = found.st_uid;
    if (read_pack(pack, length, &file->pack) != 0 ||
        (file->is_runtime && !has_program(&file->pack) && because("it contains no program")))
        die("%s inside the file is damaged, %s: copy the file again", subject, why);
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
        if (failed && !shipped && errno == EBADMSG) die("%s inside the file is damaged: copy the file again", subject);
        if (failed && shipped && errno == ENOENT) goto end;
    }
    if (!failed) {
        char unpacked[PATH_MAX + ID_BYTES + 2];
        snprintf(unpacked, sizeof unpacked, "%s/%s", real, file->pack.id);
        if (file->is_runtime) become(&file->pack, unpacked, argv);
        else if (puts(unpacked) >= 0 && fflush(stdout) == 0) exit(0);
        else because("its path cannot be printed: %s", strerror(errno));
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
    die("%s cannot be unpacked into any of %s: set ENCODERFILE_CACHE_DIR to a folder where files can be written and "
        "executed%s",
        subject, reasons, named && untrusted ? ", or ENCODERFILE_CACHE_TRUSTED=1 if nobody else can access this one" : "");
}
