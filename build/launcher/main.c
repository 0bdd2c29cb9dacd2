/*
 * The first bytes of every built file: finds the unpacked runtime in a cache folder, unpacks it there once, and becomes
 * it. The runtime is a folder that PyInstaller froze; unpacking it at every start would take longer than all the rest.
 *
 *   main.c    the process                   launch.c   which folders are tried
 *   pack.c    what the file contains        inflate.c  decompression
 *   trust.c   who can change a folder       folder.c   opening folders safely
 *   cache.c   locks, repair, pruning        check.c    whether a runtime is intact
 *   unpack.c  unpacking a runtime           report.c, progress.c  what the user is told
 *   become.c  starting it                   host_libc.c  the machine's own C library
 *   sha256.c, sha256_cpu.c  checksums
 *
 * exec() keeps the process, so signals, exit codes, PID 1 and `ps` need no further work. Linux only; linked statically:
 * the machine needs no C library, and the runtime brings its own.
 */
#define _GNU_SOURCE
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "launch.h"
#include "report.h"

int main(int argc, char **argv) {
    static char self[PATH_MAX]; /* without links; the runtime opens it to find its model */
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    if (length <= 0) die("cannot find its own path: /proc is not mounted");
    self_name = strrchr(self, '/') + 1;
    if (argc < 1) argv = (char *[]){self, NULL};
    setenv("ENCODERFILE_EXECUTABLE", self, 1);
    setenv("PYINSTALLER_RESET_ENVIRONMENT", "1", 1); /* another frozen program may have started this one */
    launch(self, argv);
}
