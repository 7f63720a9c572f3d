#include "scripts.h"

#include <string.h>

static const unsigned char common[] = {
#embed "common.sh"
};
static const unsigned char bring[] = {
#embed "bring.sh"
};
static const unsigned char store[] = {
#embed "store.sh"
};
static const unsigned char held[] = {
#embed "held.sh"
};
static const unsigned char clean[] = {
#embed "clean.sh"
};
static const unsigned char doctor[] = {
#embed "doctor.sh"
};
static const unsigned char manager[] = {
#embed "manager.sh"
};
static const unsigned char survived[] = {
#embed "survived.sh"
};
static const unsigned char slurm[] = {
#embed "slurm.sh"
};

#define SCRIPT(name) {#name, name, sizeof name}

static const struct usweep_script scripts[] = {
    SCRIPT(common), SCRIPT(bring),   SCRIPT(store),    SCRIPT(held),  SCRIPT(clean),
    SCRIPT(doctor), SCRIPT(manager), SCRIPT(survived), SCRIPT(slurm),
};

struct usweep_script usweep_script(const char *name) {
    const struct usweep_script none = {0, 0, 0};
    for (size_t i = 0; i < sizeof scripts / sizeof scripts[0]; i++)
        if (strcmp(scripts[i].name, name) == 0) return scripts[i];
    return none;
}
