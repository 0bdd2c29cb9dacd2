#include "report.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

const char *self_name = "encoderfile";
const char *subject = "the runtime";
char why[1024];

int because(const char *format, ...) {
    int kept = errno;
    va_list values;
    va_start(values, format);
    vsnprintf(why, sizeof why, format, values);
    va_end(values);
    errno = kept;
    return -1;
}

void die(const char *format, ...) {
    va_list values;
    fprintf(stderr, "error: %s: ", self_name);
    va_start(values, format);
    vfprintf(stderr, format, values);
    va_end(values);
    fputc('\n', stderr);
    exit(1);
}
