/* The GNU C library of this machine, which only some runtimes use. */
#ifndef ENCODERFILE_HOST_LIBC_H
#define ENCODERFILE_HOST_LIBC_H

/* Where the kernel finds the loader of a program for glibc on this processor. */
extern const char *const host_loader;

/* Its version, "2.36" as 2036; 0 where there is none: no C library, another one, or one in an unusual place. */
int host_libc(void);

/* A version in words, as a number; 0 if it is not a version. */
int libc_version(const char *text);

#endif
