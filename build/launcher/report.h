/* Error messages: one sentence, or the reason that becomes part of one. */
#ifndef ENCODERFILE_REPORT_H
#define ENCODERFILE_REPORT_H

#include <stddef.h>

/* The file's name, with which each message begins. */
extern const char *self_name;

/* What is unpacked, as messages call it. */
extern const char *subject;

/* Why the last function that is documented to set it failed. */
extern char why[1024];

/* Sets `why` and keeps errno; returns -1, so that a function can return its result. */
int because(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Prints the message and exits with 1. */
_Noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
