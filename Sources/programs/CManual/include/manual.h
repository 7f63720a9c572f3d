/* The manual, as bytes of the program: it is there wherever the program is, and is never older or newer. */
#ifndef USWEEP_MANUAL_H
#define USWEEP_MANUAL_H

#include <stddef.h>

struct usweep_page {
    /* What people type after `usweep help`. */
    const char *topic;
    /* The file's name without its suffix, by which pages refer to each other. */
    const char *name;
    const unsigned char *text;
    size_t size;
};

/* Returns how many pages there are, in the order of the table of contents. */
size_t usweep_page_count(void);

/* Returns page number `index`, from 0; all its members are null where there is none. */
struct usweep_page usweep_page(size_t index);

#endif
