/* How a user learns what went wrong: one sentence, or the reason that becomes part of one. */
#ifndef ENCODERFILE_REPORT_H
#define ENCODERFILE_REPORT_H

#include <stddef.h>

/* What the file is called: each sentence begins with it. */
extern const char *self_name;

/* Why the function that was called last failed, when it says that it sets it. */
extern char why[1024];

/* Sets `why`; always -1, so that a function can end with it. Keeps errno. */
int because(const char *format, ...) __attribute__((format(printf, 1, 2)));

_Noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
