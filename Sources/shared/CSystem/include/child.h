// What Swift cannot say itself: fork, and signals as a descriptor.
#ifndef USWEEP_CHILD_PROCESS_H
#define USWEEP_CHILD_PROCESS_H

#include <sys/types.h>

/// Starts a program that is killed when the calling thread ends, however it ends.
///
/// @param arguments   ends with NULL, as `environment` does
/// @param descriptors `count` of them become 0, 1, 2, ... in the program; all must be 64 or more, close-on-exec
/// @return its process id, or minus the errno of what failed (also where the program could not be executed)
pid_t child_start(const char *path, char *const *arguments, char *const *environment, const int *descriptors,
                  int count);

/// Blocks SIGTERM, SIGINT, SIGHUP and SIGCHLD for the process and ignores SIGPIPE.
///
/// @return a descriptor that can be read when one of the four has come, or minus an errno
int signals_open(void);

/// @return the number of a signal that has come, 0 if there is none
int signals_next(int descriptor);

#endif
