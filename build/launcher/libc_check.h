#ifndef ENCODERFILE_LIBC_CHECK_H
#define ENCODERFILE_LIBC_CHECK_H

/* The runtime needs glibc of version `libc`; ends with a sentence before the dynamic linker says it in its own words. */
void check_libc(const char *libc);

#endif
