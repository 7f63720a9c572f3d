/* CRC-32C (Castagnoli) by the processor's instruction: SSE 4.2 of x86-64, in Intel's Software Developer's Manual,
   volume 2, CRC32. */
#include "csystem.h"

#if defined(__x86_64__)

#include <cpuid.h>
#include <nmmintrin.h>
#include <string.h>

__attribute__((target("sse4.2"))) static uint32_t extend(uint32_t value, const unsigned char *bytes, size_t count)
{
    uint64_t wide = value;
    for (; count >= 8; bytes += 8, count -= 8) {
        uint64_t word;
        memcpy(&word, bytes, 8);
        wide = _mm_crc32_u64(wide, word);
    }
    value = (uint32_t)wide;
    for (; count > 0; bytes++, count--) value = _mm_crc32_u8(value, *bytes);
    return value;
}

int sys_crc32c(uint32_t *value, const void *bytes, size_t count)
{
    /* Found out once; a race finds the same twice. */
    static int known = -1;
    if (known < 0) {
        unsigned int a, b, c, d;
        known = __get_cpuid(1, &a, &b, &c, &d) && (c & bit_SSE4_2);
    }
    if (known)
        *value = extend(*value, bytes, count);
    return known;
}

#else

int sys_crc32c(uint32_t *value, const void *bytes, size_t count)
{
    (void)value;
    (void)bytes;
    (void)count;
    return 0;
}

#endif
