/*
 * The first bytes of every built file: finds the unpacked runtime in a cache folder, unpacks it there once,
 * and becomes it. The runtime is a folder that PyInstaller froze; unpacking it at every start would cost
 * more than everything else together.
 *
 *   main.c      who we are                    launch.c   which folders are tried
 *   pack.c      what the file holds           folder.c   whether a folder can be trusted
 *   cache.c     locks, repair, pruning        runtime.c  checking and unpacking a runtime
 *
 * exec() keeps the process: signals, exit codes, PID 1 and `ps` need nothing from us.
 * Linux only; linked statically, so that a machine without a fitting C library still gets a sentence.
 */
#define _GNU_SOURCE
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "launch.h"
#include "report.h"

int main(int argc, char **argv) {
    static char self[PATH_MAX]; /* links followed; what the runtime opens to find its model */
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    if (length <= 0) die("cannot find its own path: /proc is not mounted");
    self_name = strrchr(self, '/') + 1;
    if (argc < 1) argv = (char *[]){self, NULL};
    setenv("ENCODERFILE_EXECUTABLE", self, 1);
    setenv("PYINSTALLER_RESET_ENVIRONMENT", "1", 1); /* we may have been started by another frozen program */
    launch(self, argv);
}
