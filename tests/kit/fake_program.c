/* SPDX-License-Identifier: Apache-2.0 */
/* What commands do: as much of a shell as tests need. "echo", "cat", "sleep", "true", "false" and "exit" are known,
 * and "sh -c" with a few of these between semicolons. */
#include <stdlib.h>
#include <string.h>

#include "fake_engine.h"

static void add_output(struct fake_program *program, char stream, const char *text)
{
    char *longer = fake_format("%s%c%s\n", program->output == NULL ? "" : program->output, stream, text);

    free(program->output);
    program->output = longer;
}

/* True where the command ends the script. */
static bool run_one(struct fake_program *program, const char *name, const char *rest, int64_t unknown_ms)
{
    const char *slash = strrchr(name, '/');

    name = slash == NULL ? name : slash + 1;
    program->exit_code = 0;
    if (strcmp(name, "echo") == 0) {
        size_t length = strlen(rest);
        bool to_stderr = length >= 3 && strcmp(rest + length - 3, ">&2") == 0;
        char *text = fake_strdup(rest);

        if (to_stderr)
            text[length - 3 - (length > 3 && text[length - 4] == ' ')] = '\0';
        add_output(program, to_stderr ? '2' : '1', text);
        free(text);
    } else if (strcmp(name, "sleep") == 0) {
        double seconds = atof(rest);

        if (strncmp(rest, "inf", 3) == 0 || seconds > 1e6)
            program->duration_ms = -1;
        else if (program->duration_ms >= 0)
            program->duration_ms += (int64_t)(seconds * 1000);
    } else if (strcmp(name, "cat") == 0 && rest[0] == '\0') {
        program->echoes = true;
    } else if (strcmp(name, "false") == 0) {
        program->exit_code = 1;
    } else if (strcmp(name, "exit") == 0) {
        program->exit_code = atoi(rest) & 255;
        return true;
    } else if (strcmp(name, "true") != 0) {
        program->duration_ms = unknown_ms;
    }
    return program->duration_ms < 0;
}

static void run_script(struct fake_program *program, const char *script, int64_t unknown_ms)
{
    char *copy = fake_strdup(script), *rest = copy, *command;
    bool ended = false;

    while (!ended && (command = strsep(&rest, ";\n")) != NULL) {
        char *arguments;
        size_t length;

        command += strspn(command, " \t");
        length = strlen(command);
        while (length > 0 && command[length - 1] == ' ')
            command[--length] = '\0';
        if (length == 0)
            continue;
        arguments = command + strcspn(command, " ");
        if (*arguments != '\0')
            *arguments++ = '\0';
        arguments += strspn(arguments, " ");
        ended = run_one(program, command, arguments, unknown_ms);
    }
    free(copy);
}

void fake_program_parse(struct fake_program *program, const char *const *words, size_t count, int64_t unknown_ms)
{
    struct bytes rest = {0};

    memset(program, 0, sizeof(*program));
    if (count == 0) {
        program->duration_ms = unknown_ms;
        return;
    }
    if (count >= 3 && strcmp(words[1], "-c") == 0) {
        run_script(program, words[2], unknown_ms);
        return;
    }
    for (size_t i = 1; i < count; i++)
        say(&rest, "%s%s", i > 1 ? " " : "", words[i]);
    say_bytes(&rest, "", 1);
    if (count == 1 && (strcmp(words[0], "sh") == 0 || strcmp(words[0], "/bin/sh") == 0))
        program->echoes = true; /* what it makes of what it reads is not known */
    else
        run_one(program, words[0], bytes_at(&rest), unknown_ms);
    bytes_free(&rest);
}

void fake_program_clear(struct fake_program *program)
{
    free(program->output);
    memset(program, 0, sizeof(*program));
}
