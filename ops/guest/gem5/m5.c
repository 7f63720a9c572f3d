/* SPDX-License-Identifier: Apache-2.0
 *
 * gem5's magic calls for scripts, with the words of gem5's own program of this name:
 *
 *     m5 exit
 *     m5 fail CODE
 *     m5 readfile        what the host's script gives the guest, on standard output; fails if there is nothing
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "m5ops.h"

static char buffer[4096];

static int read_file(void)
{
    unsigned long offset = 0, got;
    memset(buffer, 1, sizeof buffer); /* gem5 writes to pages that are there, no others */
    while ((got = m5_call(M5_READ_FILE, (unsigned long)buffer, sizeof buffer, offset)) > 0) {
        if (got > sizeof buffer || fwrite(buffer, 1, got, stdout) != got)
            return 1;
        offset += got;
    }
    return offset == 0;
}

int main(int count, char **arguments)
{
    m5_start();
    if (count == 2 && !strcmp(arguments[1], "exit"))
        return m5_call(M5_EXIT, 0, 0, 0) != 0;
    if (count == 3 && !strcmp(arguments[1], "fail"))
        return m5_call(M5_FAIL, 0, strtol(arguments[2], NULL, 10), 0) != 0;
    if (count == 2 && !strcmp(arguments[1], "readfile"))
        return read_file();
    fprintf(stderr, "m5: exit, fail CODE or readfile\n");
    return 64;
}
