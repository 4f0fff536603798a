/* SPDX-License-Identifier: Apache-2.0 */
#include "random.h"

#include <string.h>
#include <sys/random.h>

uint64_t random_seed(void)
{
    uint64_t seed;

    return getrandom(&seed, sizeof(seed), 0) == (ssize_t)sizeof(seed) ? seed : 0;
}

int random_id(char id[RANDOM_ID_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char bytes[(RANDOM_ID_SIZE - 1) / 2];

    do {
        if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes)) {
            return -1;
        }
        for (size_t i = 0; i < sizeof(bytes); i++) {
            id[2 * i] = digits[bytes[i] >> 4];
            id[2 * i + 1] = digits[bytes[i] & 15];
        }
        id[RANDOM_ID_SIZE - 1] = '\0';
    } while (strspn(id, "0123456789") >= 12);
    return 0;
}
