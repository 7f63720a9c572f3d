/* What a report's page is made of beside its data: bytes of the program, so that a page needs no other file. */
#ifndef USWEEP_REPORT_H
#define USWEEP_REPORT_H

#include <stddef.h>

struct usweep_asset {
    const unsigned char *text;
    size_t size;
};

/* The page's style sheet. */
struct usweep_asset usweep_report_style(void);

/* The page's script. */
struct usweep_asset usweep_report_script(void);

#endif
