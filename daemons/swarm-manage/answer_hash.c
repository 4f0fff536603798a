/* SPDX-License-Identifier: Apache-2.0 */
#include "answer_hash.h"

#include <string.h>

static uint64_t mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ (hash >> 29);
}

static uint64_t add(uint64_t hash, const char *text, size_t length)
{
    uint64_t word;

    hash = mix(hash, length);
    for (; length >= sizeof(word); text += sizeof(word), length -= sizeof(word)) {
        memcpy(&word, text, sizeof(word));
        hash = mix(hash, word);
    }
    word = 0;
    memcpy(&word, text, length);
    return mix(hash, word);
}

uint64_t answer_hash(const char *text, size_t length)
{
    return add(0, text, length) | 1;
}

uint64_t answer_hash_list(const char *text, size_t length)
{
    static const char key[] = "\"Status\":\"";
    const char *end = text + length, *found;
    uint64_t hash = 0;

    while ((found = memmem(text, (size_t)(end - text), key, sizeof(key) - 1))) {
        found += sizeof(key) - 1;
        hash = add(hash, text, (size_t)(found - text));
        text = memchr(found, '"', (size_t)(end - found));
        if (!text)
            text = end;
    }
    return add(hash, text, (size_t)(end - text)) | 1;
}
