/* The shell scripts that run on hosts, as bytes of the program: they are never older or newer than it. */
#ifndef USWEEP_SCRIPTS_H
#define USWEEP_SCRIPTS_H

#include <stddef.h>

struct usweep_script {
    /* The file's name without its suffix. */
    const char *name;
    const unsigned char *text;
    size_t size;
};

/* Returns the script of that name; all its members are null where there is none. */
struct usweep_script usweep_script(const char *name);

#endif
