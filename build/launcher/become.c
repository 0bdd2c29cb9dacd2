/*
 * The kernel starts a program through the loader that the program names by an absolute path. Ours lies in a cache
 * folder, whose path nobody knows beforehand: so the runtime's program names an open file, /proc/self/fd/LOADER_FD, and
 * the loader is opened as that file here. Unlike `loader program`, this leaves everything as it is for any program:
 * its arguments, its name in `ps`, /proc/self/exe. It is not closed by exec(), because PyInstaller's program executes
 * itself once more; encoderfile/runtime/c_library.py closes it, and gives the variables that are changed here back.
 */
#define _GNU_SOURCE
#include "become.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "host_libc.h"
#include "report.h"

#define LOADER_FD 197 /* as in encoderfile/builder/runtimes/c_library.py; below the limit of 256 that some systems set */

#define KEPT "ENCODERFILE_HOST_" /* before the name of a variable: its value before the start */

#if defined __x86_64__
#define OWN_LOADER "libc/ld-linux-x86-64.so.2"
#elif defined __aarch64__
#define OWN_LOADER "libc/ld-linux-aarch64.so.1"
#endif

/* What exec() needs. */
struct start {
    char program[PATH_MAX + 40], loader[PATH_MAX + 40];
};

/* Keeps the variables that are changed for the start under other names; encoderfile/runtime/c_library.py reads them. */
static void keep_variables(void) {
    static const char *const changed[] = {"LD_LIBRARY_PATH", "LC_ALL", "LD_PRELOAD"};
    static int kept;
    for (unsigned i = 0; !kept && i < sizeof changed / sizeof *changed; i++) {
        char name[40];
        const char *value = getenv(changed[i]);
        snprintf(name, sizeof name, KEPT "%s", changed[i]);
        if (value) setenv(name, value, 1);
        else unsetenv(name);
    }
    kept = 1;
}

/* Opens the loader as LOADER_FD; 0, or -1 where that number is taken or above this user's limit. */
static int open_loader(const char *loader) {
    struct rlimit limit, raised;
    int fd = open(loader, O_RDONLY | O_CLOEXEC), done = -1;
    if (fd < 0) return -1;
    if (fcntl(LOADER_FD, F_GETFD) < 0 && errno == EBADF && getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        raised = limit;
        if (raised.rlim_cur <= LOADER_FD) raised.rlim_cur = raised.rlim_max;
        setrlimit(RLIMIT_NOFILE, &raised);
        done = dup2(fd, LOADER_FD) < 0 ? -1 : 0;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    close(fd);
    return done;
}

/* Starts the program with the open loader. */
static void run_program(const struct start *start, char **argv) {
    char number[12];
    if (open_loader(start->loader) != 0) return;
    snprintf(number, sizeof number, "%d", LOADER_FD);
    setenv("ENCODERFILE_LOADER_FD", number, 1);
    execv(start->program, argv);
    unsetenv("ENCODERFILE_LOADER_FD");
    close(LOADER_FD);
}

/* Starts the loader as a program: always possible, but `ps` shows its arguments too. */
static void run_loader(const struct start *start, char **argv) {
    int count = 0;
    while (argv[count]) count++;
    char **longer = calloc((size_t)count + 2, sizeof *longer);
    if (!longer) die("out of memory");
    char *before[] = {argv[0], (char *)start->program};
    memcpy(longer, before, sizeof before);
    memcpy(longer + 2, argv + 1, (size_t)count * sizeof *argv); /* with the NULL at its end */
    execv(start->loader, longer);
    free(longer);
}

/* Where the loader looks for libraries: the runtime's own come first. */
static void set_library_path(const char *folder, int own_libc, int more) {
    char *path;
    const char *theirs = getenv(KEPT "LD_LIBRARY_PATH");
    int add = more && theirs && *theirs;
    if (asprintf(&path, "%s%s%s/_internal%s%s", own_libc ? folder : "", own_libc ? "/libc:" : "", folder,
                 add ? ":" : "", add ? theirs : "") < 0)
        die("out of memory");
    setenv("LD_LIBRARY_PATH", path, 1);
    free(path);
}

void become(const struct pack *pack, const char *folder, char **argv) {
    struct start start;
    int driver = pack->flags & USES_DRIVER, brings = find_entry(pack, OWN_LOADER) >= 0;
    /* A driver's libraries were made for the C library of their machine. */
    int own = brings && !(driver && host_libc() >= libc_version(pack->libc));
    keep_variables();
    set_library_path(folder, own, driver || !own);
    snprintf(start.program, sizeof start.program, "%s/" PROGRAM, folder);
    if (own) {
        snprintf(start.loader, sizeof start.loader, "%s/" OWN_LOADER, folder);
        setenv("ENCODERFILE_OWN_LIBC", "1", 1);
        /* A locale of the machine's could make our C library load parts of it. Python takes texts as UTF-8 anyway. */
        setenv("LC_ALL", "C", 1);
        /* Where the machine has another C library, what it loads into each program cannot be loaded into this one. */
        if (getenv("LD_PRELOAD") && !host_libc()) unsetenv("LD_PRELOAD");
    } else {
        snprintf(start.loader, sizeof start.loader, "%s", host_loader);
        unsetenv("ENCODERFILE_OWN_LIBC");
    }
    if (brings) {
        run_program(&start, argv);
        run_loader(&start, argv);
    } else {
        execv(start.program, argv);
    }
    because("%s", strerror(errno));
}
