/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check PLACE PROBLEMS: let the program PLACE answer the problems and compare each answer with the one that classic
 * Swarm gives, which is in the problem's "expect". Prints each difference, then "N of N as recorded".
 */
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Output of PLACE with the problems on its standard input. */
static FILE *answers_of(const char *place, const char *problems, pid_t *ret_pid)
{
    int ends[2];
    if (pipe(ends) != 0)
        return NULL;
    *ret_pid = fork();
    if (*ret_pid == 0) {
        if (!freopen(problems, "r", stdin) || dup2(ends[1], STDOUT_FILENO) < 0)
            _exit(126);
        close(ends[0]);
        close(ends[1]);
        execl(place, place, (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    return *ret_pid < 0 ? NULL : fdopen(ends[0], "r");
}

static bool has_text(json_t *list, const char *text)
{
    size_t index;
    json_t *item;
    json_array_foreach (list, index, item) {
        if (strcmp(json_string_value(item), text) == 0)
            return true;
    }
    return false;
}

/* Equal but for order; neither has an item twice. */
static bool same_texts(json_t *a, json_t *b)
{
    size_t index;
    json_t *item;
    json_array_foreach (a, index, item) {
        if (!has_text(b, json_string_value(item)))
            return false;
    }
    return json_is_array(b) && json_array_size(a) == json_array_size(b);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* "[port 80 (Bridge mode) port 81 (Bridge mode)]" as a list of ports in text order. The order of a request's ports is
 * that of a map in classic Swarm, so it is not recorded. */
static void sort_ports(char *line)
{
    char *parts[256], copy[8192];
    size_t count = 0;
    snprintf(copy, sizeof(copy), "%s", line + 1);
    for (char *at = copy; at && count < 256; count++) {
        parts[count] = at;
        at = strstr(at + 1, " port ");
        if (at)
            *at++ = '\0';
    }
    char *last = parts[count - 1];
    last[strcspn(last, "]")] = '\0';
    qsort(parts, count, sizeof(parts[0]), by_text);
    char *end = line + 1;
    for (size_t i = 0; i < count; i++)
        end = stpcpy(stpcpy(end, parts[i]), i + 1 < count ? " " : "]");
}

static char *with_sorted_ports(const char *error)
{
    char *copy = strdup(error), *sorted = calloc(1, strlen(error) + 2), *rest = copy;
    for (char *line; (line = strsep(&rest, "\n"));) {
        if (strncmp(line, "[port ", 6) == 0)
            sort_ports(line);
        strcat(strcat(sorted, line), rest ? "\n" : "");
    }
    free(copy);
    return sorted;
}

static bool same_error(const char *expected, const char *got)
{
    if (!got)
        return false;
    char *a = with_sorted_ports(expected), *b = with_sorted_ports(got);
    bool same = strcmp(a, b) == 0;
    free(a);
    free(b);
    return same;
}

static bool as_recorded(json_t *expect, json_t *answer)
{
    const char *error = json_string_value(json_object_get(expect, "error"));
    if (error)
        return same_error(error, json_string_value(json_object_get(answer, "error")));
    const char *node = json_string_value(json_object_get(answer, "node"));
    json_t *best = json_object_get(expect, "best");
    return node && has_text(best, node) && same_texts(best, json_object_get(answer, "best")) &&
           same_texts(json_object_get(expect, "candidates"), json_object_get(answer, "candidates")) &&
           json_is_true(json_object_get(expect, "soft_dropped")) ==
               json_is_true(json_object_get(answer, "soft_dropped"));
}

static bool check_line(const char *problem_line, const char *answer_line)
{
    json_t *problem = json_loads(problem_line, 0, NULL), *answer = json_loads(answer_line, 0, NULL);
    json_t *expect = json_object_get(problem, "expect");
    bool same = expect && answer && json_equal(json_object_get(problem, "name"), json_object_get(answer, "name")) &&
                as_recorded(expect, answer);
    if (!same) {
        char *expected = json_dumps(expect, JSON_COMPACT);
        printf("%s\n  expected %s\n  got      %s", json_string_value(json_object_get(problem, "name")), expected,
               *answer_line ? answer_line : "nothing\n");
        free(expected);
    }
    json_decref(problem);
    json_decref(answer);
    return same;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: check PLACE PROBLEMS\n");
        return 2;
    }
    pid_t pid = -1;
    FILE *problems = fopen(argv[2], "r");
    FILE *answers = problems ? answers_of(argv[1], argv[2], &pid) : NULL;
    if (!answers) {
        perror(argv[2]);
        return 2;
    }
    char *problem = NULL, *answer = NULL;
    size_t problem_size = 0, answer_size = 0, total = 0, good = 0;
    while (getline(&problem, &problem_size, problems) > 0) {
        bool answered = getline(&answer, &answer_size, answers) > 0;
        good += check_line(problem, answered ? answer : "");
        total++;
    }
    bool more = getline(&answer, &answer_size, answers) > 0;
    free(problem);
    free(answer);
    fclose(problems);
    fclose(answers);
    int status = 0;
    bool ended = waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
    printf("%zu of %zu as recorded%s%s\n", good, total, more ? ", and answers to nothing" : "",
           ended ? "" : ", and the program failed");
    return good == total && total > 0 && !more && ended ? 0 : 1;
}
