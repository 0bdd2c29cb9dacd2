/*
 * The first bytes of every built file: finds the unpacked runtime in a cache folder, unpacks it there once,
 * and becomes it. The runtime is a folder that PyInstaller froze; unpacking it at every start would cost
 * more than everything else together.
 *
 *   file:    [this program][payload][pack][footer]
 *   footer:  see encoderfile/container.py       pack: see encoderfile/builder/pack.py
 *
 * exec() keeps the process: signals, exit codes, PID 1 and `ps` need nothing from us.
 * Linux only; linked statically, so that a machine without a fitting C library still gets a sentence.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "inflate.h"

#define STR2(x) #x
#define STR(x) STR2(x)

/* A test compares this with the sum of the sources beside this file. */
__attribute__((used)) static const char source_sum[] = "encoderfile-launcher-source:" STR(SOURCE_SUM);

#define MAX_REASONS 4000
#define MAX_WORKERS 4
#define UNUSED_SECONDS (14 * 24 * 3600)
#define FOOTER_BYTES 88
#define ENTRY_BYTES 40
#define HEADER_BYTES 64
#define ID_BYTES 32

static const char *self_name = "encoderfile";
static char reasons[MAX_REASONS];

struct footer {
    char magic[8];
    uint64_t payload_offset, manifest_offset, manifest_length, pack_offset, pack_length, total;
};

struct header {
    char magic[8];
    char id[ID_BYTES]; /* hex digits: what the runtime's folder is called */
    uint32_t entries;
    uint32_t index_bytes;
    char libc[12]; /* the oldest glibc the runtime runs with, such as "2.28" */
    uint32_t index_crc;
};

struct entry {
    uint64_t offset, packed, size; /* bytes; offset from the start of the pack */
    uint32_t mode, crc, path_length, reserved;
};

static void die(const char *sentence) {
    fprintf(stderr, "error: %s: %s\n", self_name, sentence);
    exit(1);
}

static void note(const char *folder, const char *why) {
    size_t used = strlen(reasons);
    snprintf(reasons + used, sizeof reasons - used, "%s%s (%s)", used ? ", " : "", folder, why);
}

/* Makes `path` and its parents; 0 or errno. */
static int make_folders(char *path, mode_t mode) {
    for (char *slash = path + 1;; slash++) {
        if (*slash != '/' && *slash != '\0') continue;
        char kept = *slash;
        *slash = '\0';
        int failed = mkdir(path, mode) != 0 && errno != EEXIST ? errno : 0;
        struct stat found;
        if (failed && stat(path, &found) == 0 && S_ISDIR(found.st_mode)) failed = 0;
        *slash = kept;
        if (failed) return failed;
        if (kept == '\0') return 0;
    }
}

/* Removes a folder and all in it; follows no link. */
static void remove_tree(int parent, const char *name) {
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0) {
        DIR *folder = fdopendir(fd);
        for (struct dirent *each; folder && (each = readdir(folder));) {
            if (!strcmp(each->d_name, ".") || !strcmp(each->d_name, "..")) continue;
            if (unlinkat(fd, each->d_name, 0) != 0) remove_tree(fd, each->d_name);
        }
        if (folder) closedir(folder);
    }
    unlinkat(parent, name, AT_REMOVEDIR);
}

/* What a killed unpacking left behind; the caller holds the lock, so nobody writes there now. */
static void remove_leftovers(const char *cache, const char *prefix) {
    DIR *folder = opendir(cache);
    for (struct dirent *each; folder && (each = readdir(folder));)
        if (!strncmp(each->d_name, prefix, strlen(prefix))) remove_tree(dirfd(folder), each->d_name);
    if (folder) closedir(folder);
}

static int write_all(int fd, const unsigned char *data, uint64_t size) {
    while (size) {
        ssize_t done = write(fd, data, size > 1 << 24 ? 1 << 24 : size);
        if (done < 0 && errno == EINTR) continue;
        if (done <= 0) return errno ? errno : EIO;
        data += done;
        size -= (uint64_t)done;
    }
    return 0;
}

/* Writes one entry of the pack below `target`; 0 or errno, EBADMSG when the pack is damaged. */
static int unpack_entry(const unsigned char *pack, const struct entry *entry, const char *path, const char *target) {
    char full[PATH_MAX];
    if (snprintf(full, sizeof full, "%s/%.*s", target, (int)entry->path_length, path) >= (int)sizeof full)
        return ENAMETOOLONG;
    unsigned char *data = malloc(entry->size + 1);
    if (!data) return ENOMEM;
    int failed = 0;
    if (entry->packed == entry->size) memcpy(data, pack + entry->offset, entry->size);
    else if (inflate_all(pack + entry->offset, entry->packed, data, entry->size) != 0) failed = EBADMSG;
    if (!failed && crc32_of(data, entry->size) != entry->crc) failed = EBADMSG;
    if (!failed) {
        char *slash = strrchr(full, '/');
        *slash = '\0';
        failed = make_folders(full, 0755);
        *slash = '/';
    }
    if (!failed && S_ISLNK(entry->mode)) {
        data[entry->size] = '\0';
        if (symlink((char *)data, full) != 0) failed = errno;
    } else if (!failed) {
        int fd = open(full, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        failed = fd < 0 ? errno : write_all(fd, data, entry->size);
        if (fd >= 0 && !failed && fchmod(fd, entry->mode & 0777) != 0) failed = errno;
        if (fd >= 0 && close(fd) != 0 && !failed) failed = errno;
    }
    free(data);
    return failed;
}

/* Every `workers`-th entry, from `first` on; 0 or errno. */
static int unpack_share(const unsigned char *pack, const char *target, unsigned first, unsigned workers) {
    const struct header *header = (const void *)pack;
    const unsigned char *at = pack + HEADER_BYTES;
    for (unsigned i = 0; i < header->entries; i++) {
        struct entry entry;
        memcpy(&entry, at, sizeof entry);
        if (i % workers == first) {
            int failed = unpack_entry(pack, &entry, (const char *)at + ENTRY_BYTES, target);
            if (failed) return failed;
        }
        at += ENTRY_BYTES + entry.path_length;
    }
    return 0;
}

static int unpack_all(const unsigned char *pack, const char *target) {
    const struct header *header = (const void *)pack;
    if (crc32_of(pack + HEADER_BYTES, header->index_bytes) != header->index_crc) return EBADMSG;
    if (mkdir(target, 0755) != 0) return errno;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned workers = cores < 1 ? 1 : cores > MAX_WORKERS ? MAX_WORKERS : (unsigned)cores;
    pid_t children[MAX_WORKERS];
    int failed = 0;
    for (unsigned i = 1; i < workers; i++) {
        children[i] = fork();
        if (children[i] == 0) _exit(unpack_share(pack, target, i, workers));
    }
    failed = unpack_share(pack, target, 0, workers);
    for (unsigned i = 1; i < workers; i++) {
        int status = 0;
        if (children[i] < 0) { /* no process to be had: do its share here */
            int own = unpack_share(pack, target, i, workers);
            failed = failed ? failed : own;
            continue;
        }
        while (waitpid(children[i], &status, 0) < 0 && errno == EINTR) {}
        int theirs = WIFEXITED(status) ? WEXITSTATUS(status) : EIO;
        failed = failed ? failed : theirs;
    }
    int fd = open(target, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        if (!failed && syncfs(fd) != 0) failed = errno; /* after a power cut: all or nothing */
        close(fd);
    }
    return failed;
}

static int exists(const char *path) {
    struct stat found;
    return stat(path, &found) == 0;
}

/* Removes runtimes of other versions that nobody runs and nobody started for a while. */
static void prune(const char *cache, const char *id) {
    DIR *folder = opendir(cache);
    for (struct dirent *each; folder && (each = readdir(folder));) {
        char name[ID_BYTES + 1] = "";
        if (strlen(each->d_name) != ID_BYTES + 5 || strcmp(each->d_name + ID_BYTES, ".lock") != 0) continue;
        memcpy(name, each->d_name, ID_BYTES);
        if (!strcmp(name, id)) continue;
        int fd = openat(dirfd(folder), each->d_name, O_RDONLY | O_CLOEXEC);
        struct stat lock;
        if (fd >= 0 && fstat(fd, &lock) == 0 && lock.st_mtime < time(NULL) - UNUSED_SECONDS &&
            flock(fd, LOCK_EX | LOCK_NB) == 0)
            remove_tree(dirfd(folder), name);
        if (fd >= 0) close(fd);
    }
    if (folder) closedir(folder);
}

/* "2.36" as 2036; 0 when it is no version. */
static int version(const char *text) {
    char *end;
    long major = strtol(text, &end, 10);
    return *end == '.' ? (int)(major * 1000 + strtol(end + 1, NULL, 10)) : 0;
}

/* The version that the C library at `path` says of itself; 0 when it says none. */
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

/* The frozen runtime needs glibc; say so before the dynamic linker says it in its own words. */
static void check_libc(const struct header *header) {
    const char *const places[][2] = {
        {"/lib64/ld-linux-x86-64.so.2", "/lib/x86_64-linux-gnu/libc.so.6"},
        {"/lib64/ld-linux-x86-64.so.2", "/lib64/libc.so.6"},
        {"/lib/ld-linux-aarch64.so.1", "/lib/aarch64-linux-gnu/libc.so.6"},
        {"/lib/ld-linux-aarch64.so.1", "/lib64/libc.so.6"}};
    int loader = 0, found = 0, needed = version(header->libc);
    for (unsigned i = 0; i < sizeof places / sizeof *places; i++)
        if (exists(places[i][0])) {
            loader = 1;
            if (!found) found = libc_version(places[i][1]);
        }
    if (loader && (!found || found >= needed)) return;
    char sentence[200];
    if (!loader)
        snprintf(sentence, sizeof sentence,
                 "this machine has no GNU C library, and the file needs version %.11s or newer", header->libc);
    else
        snprintf(sentence, sizeof sentence,
                 "this machine has version %d.%d of the GNU C library, and the file needs %.11s or newer: "
                 "build it on an older system",
                 found / 1000, found % 1000, header->libc);
    die(sentence);
}

/*
 * Puts the runtime into `cache`/id unless it is there; 0 or errno. The lock stays open and shared through
 * exec, for as long as the runtime runs, so that nobody prunes it meanwhile; its time says when it started.
 */
static int provide(const char *cache, const unsigned char *pack, const char *id, const char *program) {
    char lock[PATH_MAX], leftovers[NAME_MAX], temporary[PATH_MAX], final[PATH_MAX];
    if (snprintf(lock, sizeof lock, "%s/%s.lock", cache, id) >= (int)sizeof lock) return ENAMETOOLONG;
    snprintf(leftovers, sizeof leftovers, ".%s.tmp", id);
    snprintf(temporary, sizeof temporary, "%s/.%s.tmp%d", cache, id, (int)getpid());
    snprintf(final, sizeof final, "%s/%s", cache, id);
    int fd = open(lock, O_RDONLY | O_CREAT, 0644);
    if (fd < 0) return exists(program) ? 0 : errno; /* a cache that was filled before and is read-only now */
    futimens(fd, NULL);
    flock(fd, LOCK_SH); /* some network disks know no locks: the rename is atomic all the same */
    if (exists(program)) return 0;
    int locked = flock(fd, LOCK_EX) == 0;
    int failed = 0;
    if (!exists(program)) {
        check_libc((const void *)pack);
        if (locked) remove_leftovers(cache, leftovers);
        failed = unpack_all(pack, temporary);
        if (!failed && rename(temporary, final) != 0 && !exists(program)) failed = errno;
        if (exists(temporary)) remove_tree(AT_FDCWD, temporary);
        if (!failed) prune(cache, id);
    }
    if (failed) close(fd);
    else flock(fd, LOCK_SH);
    return failed;
}

/* Whom we trust with code that runs as us, by where the folder lies. */
enum trust {
    NAMED,  /* the user named it: as it is */
    OWN,    /* below a home: ours or root's */
    SHARED, /* below a folder for all: ours or root's, and nobody else may write */
    BESIDE  /* beside the file: also its owner's, whom we trust by running the file */
};

static uid_t file_owner;

static const char *unsafe(const char *path, enum trust trust) {
    struct stat found;
    if (stat(path, &found) != 0) return strerror(errno);
    if (trust == NAMED) return NULL;
    int known = found.st_uid == geteuid() || found.st_uid == 0 || (trust == BESIDE && found.st_uid == file_owner);
    if (!known) return "belongs to another user";
    return trust != OWN && found.st_mode & 022 ? "others may write into it" : NULL;
}

/* Lets the runtime's own libraries come first: its program needs libz, which a bare machine may lack. */
static void find_libraries(const char *cache, const char *id) {
    char path[2 * PATH_MAX];
    const char *before = getenv("LD_LIBRARY_PATH");
    int more = before && *before;
    snprintf(path, sizeof path, "%s/%s/_internal%s%s", cache, id, more ? ":" : "", more ? before : "");
    setenv("LD_LIBRARY_PATH", path, 1);
}

/* Tries one cache folder; returns only when it cannot serve, with the reason noted. */
static void try_cache(const char *folder, enum trust trust, const unsigned char *pack, char **argv) {
    const struct header *header = (const void *)pack;
    char cache[PATH_MAX], program[PATH_MAX], id[ID_BYTES + 1] = "";
    memcpy(id, header->id, ID_BYTES);
    if (folder[0] != '/') return note(folder, "not an absolute path");
    if (snprintf(cache, sizeof cache, "%s", folder) >= (int)sizeof cache - ID_BYTES - 20)
        return note(folder, "the path is too long");
    snprintf(program, sizeof program, "%s/%s/runtime", cache, id);
    if (trust == BESIDE && !exists(program)) return;
    int failed = exists(cache) ? 0 : make_folders(cache, trust == SHARED ? 0700 : 0755);
    if (failed) return note(cache, strerror(failed));
    const char *why = unsafe(cache, trust);
    if (why) return note(cache, why);
    struct statvfs disk;
    if (statvfs(cache, &disk) == 0 && disk.f_flag & ST_NOEXEC) return note(cache, "mounted noexec");
    failed = trust == BESIDE ? 0 : provide(cache, pack, id, program);
    if (failed == EBADMSG) die("the runtime inside the file is damaged: copy the file again");
    if (failed) return note(cache, strerror(failed));
    if ((why = unsafe(program, trust))) return note(cache, why);
    char *libraries = getenv("LD_LIBRARY_PATH");
    libraries = libraries ? strdup(libraries) : NULL;
    find_libraries(cache, id);
    execv(program, argv);
    if (libraries) setenv("LD_LIBRARY_PATH", libraries, 1);
    else unsetenv("LD_LIBRARY_PATH");
    note(cache, strerror(errno));
}

static void try_below(const char *base, const char *name, enum trust trust, const unsigned char *pack, char **argv) {
    char folder[PATH_MAX];
    if (!base || !*base) return;
    if (snprintf(folder, sizeof folder, trust == SHARED ? "%s/%s-%u" : "%s/%s", base, name, (unsigned)geteuid()) <
        (int)sizeof folder)
        try_cache(folder, trust, pack, argv);
}

/* The path of this file, links followed; what the runtime opens to find its model. */
static void find_self(char *path, size_t size) {
    ssize_t length = readlink("/proc/self/exe", path, size - 1);
    if (length <= 0) die("cannot find its own path: /proc is not mounted");
    path[length] = '\0';
}

/* Maps the pack of the file at `path`, or ends with a sentence. */
static const unsigned char *map_pack(const char *path) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) die("the file cannot be read by this user: chmod a+r it");
    struct stat file;
    struct footer footer;
    if (fstat(fd, &file) != 0 || file.st_size < FOOTER_BYTES ||
        pread(fd, &footer, sizeof footer, file.st_size - FOOTER_BYTES) != (ssize_t)sizeof footer ||
        memcmp(footer.magic, "ENCFILE\1", 8) != 0 || footer.total != (uint64_t)file.st_size ||
        footer.pack_offset % 4096 || footer.pack_offset + footer.pack_length > footer.total)
        die("the file is cut or damaged, its end is missing: copy it again");
    const unsigned char *pack = mmap(NULL, footer.pack_length, PROT_READ, MAP_PRIVATE, fd, (off_t)footer.pack_offset);
    close(fd);
    if (pack == MAP_FAILED) die("the file cannot be mapped into memory");
    file_owner = file.st_uid;
    if (memcmp(pack, "ENCPACK\1", 8) != 0) die("the runtime inside the file is damaged: copy the file again");
    return pack;
}

int main(int argc, char **argv) {
    char self[PATH_MAX], beside[PATH_MAX];
    find_self(self, sizeof self);
    const char *slash = strrchr(self, '/');
    self_name = slash ? slash + 1 : self;
    const unsigned char *pack = map_pack(self);
    if (argc < 1) argv = (char *[]){self, NULL};
    setenv("ENCODERFILE_EXECUTABLE", self, 1);
    setenv("PYINSTALLER_RESET_ENVIRONMENT", "1", 1); /* we may have been started by another frozen program */

    snprintf(beside, sizeof beside, "%.*s/.encoderfile", (int)(slash - self), self);
    try_cache(beside, BESIDE, pack, argv);
    const char *wanted = getenv("ENCODERFILE_CACHE_DIR");
    if (wanted && *wanted) {
        try_cache(wanted, NAMED, pack, argv);
    } else {
        try_below(getenv("XDG_CACHE_HOME"), "encoderfile", OWN, pack, argv);
        try_below(getenv("HOME"), ".cache/encoderfile", OWN, pack, argv);
        try_below(getenv("TMPDIR"), "encoderfile", SHARED, pack, argv);
        try_below("/var/tmp", "encoderfile", SHARED, pack, argv);
        try_below("/tmp", "encoderfile", SHARED, pack, argv);
        try_below("/dev/shm", "encoderfile", SHARED, pack, argv);
    }
    fprintf(stderr,
            "error: %s: the runtime cannot be unpacked into any of %s: "
            "set ENCODERFILE_CACHE_DIR to a folder that can be written and executed from\n",
            self_name, reasons);
    return 1;
}
