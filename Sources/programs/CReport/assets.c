#include "report.h"

static const unsigned char style[] = {
#embed "report.css"
};
static const unsigned char script[] = {
#embed "report.js"
};

struct usweep_asset usweep_report_style(void) { return (struct usweep_asset){style, sizeof style}; }

struct usweep_asset usweep_report_script(void) { return (struct usweep_asset){script, sizeof script}; }
