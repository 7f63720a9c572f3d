/* SPDX-License-Identifier: Apache-2.0
 *
 * Gives the kernel's random numbers a beginning, always the same. Else whoever asks first waits while the kernel gathers
 * chance from its scheduler, for hundreds of millions of simulated instructions. No secret depends on it.
 */
#include <fcntl.h>
#include <linux/random.h>
#include <stdio.h>
#include <sys/ioctl.h>

int main(void)
{
    struct {
        struct rand_pool_info info;
        char bytes[64];
    } seed = {{.entropy_count = 8 * sizeof seed.bytes, .buf_size = sizeof seed.bytes}, "usweep"};
    int file = open("/dev/random", O_WRONLY | O_CLOEXEC);
    if (file >= 0 && !ioctl(file, RNDADDENTROPY, &seed))
        return 0;
    perror("/dev/random");
    return 1;
}
