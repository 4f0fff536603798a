/* SPDX-License-Identifier: Apache-2.0 */
/* Archives of images, several into one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "archive_merge.h"
#include "bytes.h"

/* --- archives --- */

static void put_sum(char *header)
{
    unsigned sum = 0;

    memset(header + 148, ' ', 8);
    for (int i = 0; i < 512; i++)
        sum += (unsigned char)header[i];
    snprintf(header + 148, 8, "%06o", sum);
}

static void put_entry(struct bytes *tar, const char *name, char type, const char *text, size_t length)
{
    char header[512] = {0}, digits[32];
    static const char zeros[512];

    snprintf(header, 100, "%s", name);
    snprintf(digits, sizeof(digits), "%011zo", length);
    memcpy(header + 124, digits, 12);
    header[156] = type;
    memcpy(header + 257, "ustar", 6);
    put_sum(header);
    assert_int_equal(bytes_append(tar, header, sizeof(header)), 0);
    assert_int_equal(bytes_append(tar, text, length), 0);
    assert_int_equal(bytes_append(tar, zeros, (512 - length % 512) % 512), 0);
}

static void put_file(struct bytes *tar, const char *name, const char *text)
{
    put_entry(tar, name, '0', text, strlen(text));
}

static void put_end(struct bytes *tar)
{
    static const char zeros[10240];

    assert_int_equal(bytes_append(tar, zeros, sizeof(zeros)), 0);
}

/* "name=text" of each entry, with a bar behind it; directories and links have their type in place of the text. */
static char *contents(const struct bytes *tar)
{
    struct bytes text = {0};
    const char *at = bytes_at(tar), *end = at + bytes_length(tar);

    for (; end - at >= 512 && at[0] != '\0'; at += 512) {
        size_t size = strtoul(at + 124, NULL, 8);
        char header[512];

        memcpy(header, at, 512);
        put_sum(header);
        assert_memory_equal(header + 148, at + 148, 7);
        if (at[156] == '0')
            bytes_printf(&text, "%s=%.*s|", at, (int)size, at + 512);
        else
            bytes_printf(&text, "%s:%c|", at, at[156]);
        at += (size + 511) / 512 * 512;
    }
    assert_int_equal(end - at, 1024);
    bytes_append(&text, "", 1);
    return text.data;
}

static int collect(void *data, const void *bytes, size_t length)
{
    return bytes_append(data, bytes, length);
}

/* Both, in pieces of that size; what comes out has these contents. */
static void assert_merged_in(const struct bytes *a, const struct bytes *b, size_t piece, const char *wanted)
{
    const struct bytes *const archives[] = {a, b};
    struct bytes out = {0};
    struct archive_merge *merge = archive_merge_new(collect, &out);
    char *got;

    for (int i = 0; i < 2; i++) {
        for (size_t at = 0; at < bytes_length(archives[i]); at += piece) {
            size_t left = bytes_length(archives[i]) - at;

            assert_int_equal(archive_merge_feed(merge, bytes_at(archives[i]) + at, left < piece ? left : piece), 0);
        }
        assert_int_equal(archive_merge_next(merge), 0);
    }
    assert_int_equal(archive_merge_end(merge), 0);
    got = contents(&out);
    assert_string_equal(got, wanted);
    free(got);
    bytes_free(&out);
    archive_merge_free(merge);
}

static void assert_merged(struct bytes *a, struct bytes *b, const char *wanted)
{
    static const size_t pieces[] = {1, 7, 512, 513, 100000};

    put_end(a);
    put_end(b);
    for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++)
        assert_merged_in(a, b, pieces[i], wanted);
    bytes_free(a);
    bytes_free(b);
}

static void assert_refused(struct bytes *tar, const char *why)
{
    struct bytes out = {0};
    struct archive_merge *merge = archive_merge_new(collect, &out);
    int r = archive_merge_feed(merge, bytes_at(tar), bytes_length(tar));

    if (r == 0)
        r = archive_merge_next(merge);
    assert_int_equal(r, -1);
    assert_string_equal(archive_merge_error(merge), why);
    archive_merge_free(merge);
    bytes_free(&out);
    bytes_free(tar);
}

/* --- tests --- */

static void test_lists_are_put_together(void **state)
{
    struct bytes a = {0}, b = {0};

    put_file(&a, "1.json", "one");
    put_file(&a, "manifest.json", "[{\"Config\":\"1.json\",\"RepoTags\":[\"a:1\"]}]");
    put_file(&a, "repositories", "{\"a\":{\"1\":\"x\"}}");
    put_file(&b, "2.json", "two");
    put_file(&b, "./manifest.json", "[{\"Config\":\"2.json\",\"RepoTags\":null}]");
    put_file(&b, "repositories", "{\"a\":{\"2\":\"y\"},\"b\":{\"1\":\"z\"}}");
    assert_merged(&a, &b,
                  "1.json=one|2.json=two|manifest.json=[{\"Config\":\"1.json\",\"RepoTags\":[\"a:1\"]},"
                  "{\"Config\":\"2.json\",\"RepoTags\":null}]|"
                  "repositories={\"a\":{\"1\":\"x\",\"2\":\"y\"},\"b\":{\"1\":\"z\"}}|");
}

static void test_image_of_both_has_the_names_of_both_and_is_there_once(void **state)
{
    struct bytes a = {0}, b = {0};

    put_entry(&a, "layer/", '5', "", 0);
    put_file(&a, "layer/layer.tar", "content");
    put_file(&a, "manifest.json", "[{\"Config\":\"1.json\",\"RepoTags\":[\"a:1\",\"a:2\"]}]");
    put_entry(&b, "layer/", '5', "", 0);
    put_file(&b, "layer/layer.tar", "content");
    put_entry(&b, "link", '2', "", 0);
    put_file(&b, "manifest.json", "[{\"Config\":\"1.json\",\"RepoTags\":[\"a:2\",\"a:3\"]}]");
    assert_merged(&a, &b,
                  "layer/:5|layer/layer.tar=content|link:2|"
                  "manifest.json=[{\"Config\":\"1.json\",\"RepoTags\":[\"a:1\",\"a:2\",\"a:3\"]}]|");
}

static void test_index_is_there_where_both_have_one(void **state)
{
    struct bytes a = {0}, b = {0};

    put_file(&a, "index.json", "{\"schemaVersion\":2,\"manifests\":[{\"digest\":\"1\"},{\"digest\":\"2\"}]}");
    put_file(&a, "manifest.json", "[]");
    put_file(&a, "oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}");
    put_file(&b, "index.json", "{\"schemaVersion\":2,\"manifests\":[{\"digest\":\"2\"},{\"digest\":\"3\"}]}");
    put_file(&b, "manifest.json", "[]");
    put_file(&b, "oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}");
    assert_merged(
        &a, &b,
        "manifest.json=[]|index.json={\"schemaVersion\":2,\"manifests\":[{\"digest\":\"1\"},{\"digest\":\"2\"},"
        "{\"digest\":\"3\"}]}|oci-layout={\"imageLayoutVersion\":\"1.0.0\"}|");
    put_file(&a, "manifest.json", "[]");
    put_file(&b, "index.json", "{\"manifests\":[]}");
    put_file(&b, "oci-layout", "{}");
    put_file(&b, "manifest.json", "[]");
    assert_merged(&a, &b, "manifest.json=[]|");
}

static void test_long_names_and_sizes_of_their_own(void **state)
{
    struct bytes a = {0}, b = {0};
    char name[210];

    memset(name, 'n', sizeof(name));
    name[sizeof(name) - 1] = '\0';
    put_entry(&a, "././@LongLink", 'L', name, sizeof(name));
    put_file(&a, "nnn", "first");
    put_entry(&a, "PaxHeaders/m", 'x', "22 path=manifest.json\n12 size=513\n", 34);
    {
        char text[514];

        memset(text, ' ', sizeof(text));
        memcpy(text, "[]", 2);
        text[513] = '\0';
        put_entry(&a, "x", '0', text, 0); /* the size is in front of it */
        bytes_append(&a, text, 513);
        memset(text, 0, sizeof(text));
        bytes_append(&a, text, 511);
    }
    put_entry(&b, "././@LongLink", 'L', name, sizeof(name));
    put_file(&b, "nnn", "second, of the same name");
    put_file(&b, "nnn", "third, of another name");
    put_file(&b, "manifest.json", "[]");
    put_end(&a);
    put_end(&b);
    {
        struct bytes out = {0};
        struct archive_merge *merge = archive_merge_new(collect, &out);

        assert_int_equal(archive_merge_feed(merge, bytes_at(&a), bytes_length(&a)), 0);
        assert_int_equal(archive_merge_next(merge), 0);
        assert_int_equal(archive_merge_feed(merge, bytes_at(&b), bytes_length(&b)), 0);
        assert_int_equal(archive_merge_next(merge), 0);
        assert_int_equal(archive_merge_end(merge), 0);
        /* The long name with its two blocks, two small files, the list, the end. */
        assert_int_equal(bytes_length(&out), 512 * (2 + 2 + 2 + 2 + 2));
        assert_memory_equal(bytes_at(&out) + 512, name, sizeof(name));
        assert_memory_equal(bytes_at(&out) + 512 * 3, "first", 6);
        assert_memory_equal(bytes_at(&out) + 512 * 5, "third", 5);
        archive_merge_free(merge);
        bytes_free(&out);
    }
    bytes_free(&a);
    bytes_free(&b);
}

static void test_what_is_no_archive_is_refused(void **state)
{
    struct bytes tar = {0};

    for (int i = 0; i < 600; i++)
        bytes_append(&tar, "garbage ", 8);
    assert_refused(&tar, "it is no tar archive");
    assert_refused(&tar, "the archive ended too early");
    put_file(&tar, "a", "b");
    assert_refused(&tar, "the archive ended too early");
    put_file(&tar, "a", "b");
    put_end(&tar);
    assert_refused(&tar, "the archive has no list of its images");
    put_file(&tar, "manifest.json", "{}");
    put_end(&tar);
    assert_refused(&tar, "a list of what the archive has is malformed or too long");
    put_file(&tar, "index.json", "{}");
    put_end(&tar);
    assert_refused(&tar, "a list of what the archive has is malformed or too long");
    put_entry(&tar, "h", 'x', "99 path=x\n", 10);
    assert_refused(&tar, "an extended header is malformed");
    put_entry(&tar, "h", 'x', "10 size=x\n", 10);
    assert_refused(&tar, "an extended header has a size that is no number");
}

static void test_what_is_too_long_is_not_kept(void **state)
{
    struct bytes tar = {0};
    char *text = calloc(1, 5 << 20);

    put_entry(&tar, "manifest.json", '0', text, 5 << 20);
    assert_refused(&tar, "a list of what the archive has is too long");
    put_entry(&tar, "h", 'x', text, 2 << 20);
    assert_refused(&tar, "the extended headers of an entry are too long");
    free(text);
}

static int refuse(void *data, const void *bytes, size_t length)
{
    return -1;
}

static void test_who_takes_nothing_ends_it(void **state)
{
    struct archive_merge *merge = archive_merge_new(refuse, NULL);
    struct bytes tar = {0};

    put_file(&tar, "a", "b");
    assert_int_equal(archive_merge_feed(merge, bytes_at(&tar), bytes_length(&tar)), -1);
    assert_null(archive_merge_error(merge));
    archive_merge_free(merge);
    bytes_free(&tar);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lists_are_put_together),
        cmocka_unit_test(test_image_of_both_has_the_names_of_both_and_is_there_once),
        cmocka_unit_test(test_index_is_there_where_both_have_one),
        cmocka_unit_test(test_long_names_and_sizes_of_their_own),
        cmocka_unit_test(test_what_is_no_archive_is_refused),
        cmocka_unit_test(test_what_is_too_long_is_not_kept),
        cmocka_unit_test(test_who_takes_nothing_ends_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
