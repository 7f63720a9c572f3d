/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef USWEEP_TURNS_H
#define USWEEP_TURNS_H

#include <stdbool.h>

/*
 * Keeps QEMU's main thread out while the guest's cores run. To be called once, by the main thread, before the cores'
 * thread starts. False where this QEMU has no such places to take hold of.
 */
bool turns_keep(void);

#endif
