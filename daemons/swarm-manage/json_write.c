/* SPDX-License-Identifier: Apache-2.0 */
#include "json_write.h"

#include <stdint.h>
#include <string.h>

/* How many bytes the character at @p text has, 0: it is none of UTF-8. */
static size_t character_length(const unsigned char *text)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t length = *text < 0x80 ? 1 : *text < 0xc2 ? 0 : *text < 0xe0 ? 2 : *text < 0xf0 ? 3 : *text < 0xf5 ? 4 : 0;
    uint32_t code = length > 1 ? *text & (0x7fu >> length) : *text;

    for (size_t i = 1; i < length; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (text[i] & 0x3fu);
    }
    return length > 1 && (code < least[length] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) ? 0 : length;
}

static bool is_utf8(const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    size_t length;

    for (; *at != '\0'; at += length) {
        length = character_length(at);
        if (length == 0)
            return false;
    }
    return true;
}

/* Bytes that stand for themselves. */
static size_t plain_length(const char *text, bool *has_more)
{
    size_t length = 0;

    while ((unsigned char)text[length] >= ' ' && (unsigned char)text[length] < 0x80 && text[length] != '"' &&
           text[length] != '\\')
        length++;
    *has_more = text[length] != '\0';
    return length;
}

static int write_special(struct bytes *out, char c, bool utf8)
{
    static const char controls[] = "\b\f\n\r\t", letters[] = "bfnrt";
    const char *control = strchr(controls, c);

    if ((unsigned char)c >= 0x80)
        return bytes_append(out, utf8 ? &c : "?", 1);
    if (c == '"' || c == '\\')
        return bytes_append(out, (const char[]){'\\', c}, 2);
    if (control != NULL)
        return bytes_append(out, (const char[]){'\\', letters[control - controls]}, 2);
    return bytes_printf(out, "\\u%04x", (unsigned)c);
}

int json_write_inside(struct bytes *out, const char *text)
{
    bool utf8 = false, more = true, checked = false;
    int r = 0;

    if (text == NULL)
        text = "";
    while (r == 0 && more) {
        size_t length = plain_length(text, &more);

        r = bytes_append(out, text, length);
        text += length;
        if (r != 0 || !more)
            break;
        if ((unsigned char)*text >= 0x80 && !checked) {
            utf8 = is_utf8(text);
            checked = true;
        }
        r = write_special(out, *text++, checked && utf8);
    }
    return r;
}

int json_write_string(struct bytes *out, const char *text)
{
    if (bytes_append(out, "\"", 1) != 0 || json_write_inside(out, text) != 0)
        return -1;
    return bytes_append(out, "\"", 1);
}
