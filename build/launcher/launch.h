#ifndef ENCODERFILE_LAUNCH_H
#define ENCODERFILE_LAUNCH_H

/* Becomes the runtime in the file at the absolute path `self`, or exits with a message that says why it cannot. */
_Noreturn void launch(const char *self, char **argv);

#endif
