/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"

/* Which of an option's two names was used; the second form of one option is a mistake. */
struct parse {
    const struct command *command;
    const char **positional;
    size_t count;
    uint8_t *forms; /* a bit a name, one byte an option */
    bool help;
    char **reterr;
};

__attribute__((format(printf, 2, 3))) static int fail(char **reterr, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (vasprintf(reterr, format, arguments) < 0)
        *reterr = NULL;
    va_end(arguments);
    return -1;
}

/* Position of @p name in @p names ("host, H"), -1 where it is not there. */
static int name_index(const char *names, const char *name, size_t length)
{
    for (int index = 0;; index++) {
        size_t one = strcspn(names, ",");
        if (one == length && memcmp(names, name, length) == 0)
            return index;
        if (names[one] == '\0')
            return -1;
        names += one + 1;
        names += strspn(names, " ");
    }
}

static struct option *look_up(const struct command *command, const char *name, size_t length, int *ret_form)
{
    for (struct option *option = command->options; option && option->names; option++) {
        *ret_form = name_index(option->names, name, length);
        if (*ret_form >= 0)
            return option;
    }
    return NULL;
}

struct option *option_find(const struct command *command, const char *name)
{
    int form;
    return look_up(command, name, strlen(name), &form);
}

static int set_bool(struct option *option, const char *value)
{
    static const char *const words[] = {"1", "t", "T", "TRUE",  "true",  "True",
                                        "0", "f", "F", "FALSE", "false", "False"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp(value, words[i]) == 0) {
            option->flag = i < 6;
            return 0;
        }
    }
    return -1;
}

static int set_int(struct option *option, const char *value)
{
    char *end;
    errno = 0;
    long number = strtol(value, &end, 0);
    if (errno || end == value || *end || strchr(" \t\n\v\f\r", *value))
        return -1;
    option->number = number;
    return 0;
}

static int append(struct option *option, const char *value)
{
    const char **longer = reallocarray(option->list, option->count + 2, sizeof *longer);
    if (!longer)
        return -1;
    longer[option->count++] = value;
    longer[option->count] = NULL;
    option->list = longer;
    return 0;
}

/* The items of "a, b,c": pointers and text share one block. */
static int split_list(struct option *option, const char *text)
{
    size_t count = 1;
    for (const char *at = text; *at; at++)
        count += *at == ',';
    const char **list = malloc((count + 1) * sizeof *list + strlen(text) + 1);
    if (!list)
        return -1;
    char *copy = strcpy((char *)(list + count + 1), text);
    option->count = 0;
    for (char *item; (item = strsep(&copy, ","));) {
        item += strspn(item, " \t");
        for (size_t length = strlen(item); length > 0 && strchr(" \t", item[length - 1]); length--)
            item[length - 1] = '\0';
        if (*item)
            list[option->count++] = item;
    }
    list[option->count] = NULL;
    option->list = list;
    return 0;
}

/* Text of the default or the environment. */
static int set_initial(struct option *option, const char *text)
{
    switch (option->kind) {
    case OPTION_BOOL:
        return set_bool(option, text);
    case OPTION_INT:
        return set_int(option, text);
    case OPTION_LIST:
        free(option->list);
        option->list = NULL;
        return split_list(option, text);
    case OPTION_STRING:
        break;
    }
    option->value = text;
    return 0;
}

/* Defaults, then the environment. A variable that does not parse counts as not set, as a default does for an empty one.
 */
static int initialise(const struct command *command, char **reterr)
{
    for (struct option *option = command->options; option && option->names; option++) {
        const char *environment = option->environment ? getenv(option->environment) : NULL;
        option->value = "";
        if (option->kind == OPTION_LIST && split_list(option, "") != 0)
            return fail(reterr, "out of memory");
        if (option->default_value && set_initial(option, option->default_value) != 0)
            return fail(reterr, "out of memory");
        if (environment && *environment)
            set_initial(option, environment);
    }
    return 0;
}

/* The list's defaults are replaced by the first value given, not extended. */
static int set_given(struct parse *parse, struct option *option, const char *shown, const char *value)
{
    switch (option->kind) {
    case OPTION_BOOL:
        if (set_bool(option, value) != 0)
            return fail(parse->reterr,
                        "invalid boolean value \"%s\" for -%s: strconv.ParseBool: parsing \"%s\": invalid syntax",
                        value, shown, value);
        break;
    case OPTION_INT:
        if (set_int(option, value) != 0)
            return fail(parse->reterr,
                        "invalid value \"%s\" for flag -%s: strconv.ParseInt: parsing \"%s\": invalid syntax", value,
                        shown, value);
        break;
    case OPTION_LIST:
        if (!option->given) {
            free(option->list);
            option->list = NULL;
            option->count = 0;
        }
        if (append(option, value) != 0)
            return fail(parse->reterr, "out of memory");
        break;
    case OPTION_STRING:
        option->value = value;
        break;
    }
    option->given = true;
    return 0;
}

/* One flag at argv[*at]; *at moves on where its value is the next word. */
static int parse_flag(struct parse *parse, int argc, char **argv, int *at)
{
    const char *name = argv[*at] + 1 + (argv[*at][1] == '-');
    size_t length = strcspn(name, "=");
    const char *value = name[length] == '=' ? name + length + 1 : NULL;
    int form;
    if (length == 0 || *name == '-')
        return fail(parse->reterr, "bad flag syntax: %s", argv[*at]);
    struct option *option = look_up(parse->command, name, length, &form);
    if (!option && name_index("help, h", name, length) >= 0) {
        parse->help = true;
        return 0;
    }
    if (!option)
        return fail(parse->reterr, "flag provided but not defined: -%.*s", (int)length, name);
    char shown[64];
    snprintf(shown, sizeof shown, "%.*s", (int)length, name);
    parse->forms[option - parse->command->options] |= (uint8_t)(1U << form);
    if (!value && option->kind == OPTION_BOOL)
        value = "true";
    if (!value && ++*at < argc)
        value = argv[*at];
    if (!value)
        return fail(parse->reterr, "flag needs an argument: -%s", shown);
    return set_given(parse, option, shown, value);
}

static int check_forms(const struct parse *parse)
{
    for (const struct option *option = parse->command->options; option && option->names; option++) {
        if (parse->forms[option - parse->command->options] == 3) {
            int first = (int)strcspn(option->names, ",");
            const char *second = option->names + first + 1;
            return fail(parse->reterr, "Cannot use two forms of the same flag: %s %.*s", second + strspn(second, " "),
                        first, option->names);
        }
    }
    return 0;
}

static bool is_flag(const char *word)
{
    return word[0] == '-' && word[1] != '\0';
}

/* Words before the first flag stand as if they came after all flags; a word behind a flag ends the flags. */
static int parse_words(struct parse *parse, int argc, char **argv)
{
    int first = 0, at;
    while (first < argc && !is_flag(argv[first]))
        first++;
    for (at = first; at < argc && is_flag(argv[at]); at++) {
        if (strcmp(argv[at], "--") == 0) {
            at++;
            break;
        }
        if (parse_flag(parse, argc, argv, &at) != 0)
            return -1;
        if (parse->help)
            return 0;
    }
    for (int i = 0; i < first; i++)
        parse->positional[parse->count++] = argv[i];
    for (; at < argc; at++)
        parse->positional[parse->count++] = argv[at];
    return check_forms(parse);
}

int options_parse(const struct command *command, int argc, char **argv, const char ***ret_positional, size_t *ret_count,
                  char **reterr)
{
    size_t options = 0;
    while (command->options && command->options[options].names)
        options++;
    struct parse parse = {.command = command, .reterr = reterr};
    parse.forms = calloc(options + 1, 1);
    parse.positional = calloc((size_t)argc + 1, sizeof *parse.positional);
    int status = parse.forms && parse.positional ? initialise(command, reterr) : fail(reterr, "out of memory");
    if (status == 0)
        status = parse_words(&parse, argc, argv);
    free(parse.forms);
    if (status == 0 && !parse.help) {
        *ret_positional = parse.positional;
        *ret_count = parse.count;
        return 0;
    }
    free(parse.positional);
    options_free(command);
    if (status != 0)
        return -1;
    options_help(command, "swarm");
    return 1;
}

void options_free(const struct command *command)
{
    for (struct option *option = command->options; option && option->names; option++) {
        free(option->list);
        option->list = NULL;
        option->count = 0;
    }
}

const char *options_discovery(const char *const *positional, size_t count)
{
    const char *environment = getenv("SWARM_DISCOVERY");
    if (count == 1 && *positional[0])
        return positional[0];
    return environment && *environment ? environment : NULL;
}

void options_init_log(const struct command *command)
{
    const struct option *word = option_find(command, "log-level");
    enum log_level level;
    log_init(stdout, LOG_LEVEL_INFO);
    if (log_level_parse(word->value, &level) != 0)
        log_fatal("not a valid logrus Level: \"%s\"", word->value);
    if (!word->given && option_find(command, "debug")->flag)
        level = LOG_LEVEL_DEBUG;
    log_init(stdout, level);
}
