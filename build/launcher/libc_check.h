#ifndef ENCODERFILE_LIBC_CHECK_H
#define ENCODERFILE_LIBC_CHECK_H

/* Exits with a clear message where the machine has no glibc of version `libc`, before the dynamic linker fails. */
void check_libc(const char *libc);

#endif
