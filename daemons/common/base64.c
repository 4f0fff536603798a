/* SPDX-License-Identifier: Apache-2.0 */
#include "base64.h"

#include <limits.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

char *base64_encode(const void *bytes, size_t length)
{
    if (length > INT_MAX / 2)
        return NULL;
    unsigned char *coded = malloc(length / 3 * 4 + 8);
    if (coded)
        EVP_EncodeBlock(coded, bytes, (int)length);
    return (char *)coded;
}

char *base64_decode(const char *coded, size_t *ret_length)
{
    size_t length = strlen(coded);
    unsigned char *bytes = length < INT_MAX ? malloc(length + 1) : NULL;
    if (!bytes)
        return NULL;
    int size = EVP_DecodeBlock(bytes, (const unsigned char *)coded, (int)length);
    for (size_t i = length; size > 0 && i > 0 && coded[i - 1] == '='; i--)
        size--;
    if (size < 0) {
        free(bytes);
        return NULL;
    }
    bytes[size] = '\0';
    *ret_length = (size_t)size;
    return (char *)bytes;
}

char *base64_decode_text(const char *coded)
{
    size_t length;
    char *text = base64_decode(coded, &length);
    if (!text || !memchr(text, '\0', length))
        return text;
    free(text);
    return NULL;
}
