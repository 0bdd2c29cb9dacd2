#ifndef ENCODERFILE_LAUNCH_H
#define ENCODERFILE_LAUNCH_H

/* Becomes the runtime that is packed in the file at the absolute path `self`, or ends with a sentence that says why not. */
_Noreturn void launch(const char *self, char **argv);

#endif
