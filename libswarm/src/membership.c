/* SPDX-License-Identifier: Apache-2.0 */
#include <swarm/membership.h>

#include <inttypes.h>
#include <stdbool.h>

#include "abi.h"
#include "error.h"
#include "mem.h"

#define OPTIONS_FIRST (offsetof(struct swarm_membership_options, mass_settle_ms) + sizeof(int64_t))
_Static_assert(OPTIONS_FIRST == sizeof(size_t) + 3 * sizeof(int64_t), "published layout");

struct swarm_membership {
    struct swarm_membership_options options;
    int64_t now_ms;
    size_t announced, lapsed;
    int64_t mass_ms; /**< When more than half had lapsed last … */
    int64_t none_ms; /**< … and when all had. */
};

enum member_state { ANNOUNCED, LEFT, LAPSED };

struct swarm_member {
    struct swarm_membership *of;
    enum member_state state;
    bool answers;
    int64_t lapsed_ms; /**< LAPSED: since when. */
    int64_t silent_ms; /**< Since when it does not answer. */
};

static bool is_mass(const struct swarm_membership *m)
{
    return m->lapsed >= 2 && m->lapsed > m->announced;
}

static bool is_none(const struct swarm_membership *m)
{
    return m->lapsed >= 2 && m->announced == 0;
}

/** What held up to now may not any more, after what follows. */
static void begin(struct swarm_membership *m, int64_t now_ms)
{
    if (now_ms > m->now_ms)
        m->now_ms = now_ms;
    if (is_mass(m))
        m->mass_ms = m->now_ms;
    if (is_none(m))
        m->none_ms = m->now_ms;
}

static void count(struct swarm_member *member, int by)
{
    if (member->state == ANNOUNCED)
        member->of->announced += (size_t)by;
    else if (member->state == LAPSED)
        member->of->lapsed += (size_t)by;
}

static void set_state(struct swarm_member *member, enum member_state state)
{
    count(member, -1);
    member->state = state;
    count(member, 1);
}

/* ---- a membership ---- */

int swarm_membership_new(struct swarm_membership **ret_membership, const struct swarm_membership_options *options,
                         struct swarm_error **reterr)
{
    struct swarm_membership_options read = SWARM_MEMBERSHIP_OPTIONS_INIT;
    if (ret_membership == NULL)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "membership: NULL");
    if (options != NULL && swarm__abi_read(&read, sizeof(read), OPTIONS_FIRST, options) < 0)
        return swarm__error_set(reterr, SWARM_ERR_INVALID,
                                "membership options: size %zu: start with SWARM_MEMBERSHIP_OPTIONS_INIT",
                                options->size);
    const struct {
        const char *name;
        int64_t value;
    } times[] = {{"keep_ms", read.keep_ms}, {"settle_ms", read.settle_ms}, {"mass_settle_ms", read.mass_settle_ms}};
    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
        if (times[i].value < 0)
            return swarm__error_set(reterr, SWARM_ERR_INVALID, "membership: %s %" PRId64 ": 0 or more is expected",
                                    times[i].name, times[i].value);
    struct swarm_membership *m = swarm__calloc(1, sizeof(*m));
    if (m == NULL)
        return swarm__error_nomem(reterr);
    m->options = read;
    m->now_ms = m->mass_ms = m->none_ms = INT64_MIN;
    *ret_membership = m;
    return 0;
}

void swarm_membership_free(struct swarm_membership *membership)
{
    swarm__free(membership);
}

int swarm_membership_held(const struct swarm_membership *membership)
{
    return membership != NULL && is_none(membership);
}

/* ---- a member ---- */

int swarm_member_new(struct swarm_member **ret_member, struct swarm_membership *membership, int64_t now_ms,
                     struct swarm_error **reterr)
{
    if (ret_member == NULL || membership == NULL)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "member: no membership, or nowhere to put it");
    struct swarm_member *member = swarm__calloc(1, sizeof(*member));
    if (member == NULL)
        return swarm__error_nomem(reterr);
    begin(membership, now_ms);
    member->of = membership;
    member->silent_ms = membership->now_ms;
    count(member, 1);
    *ret_member = member;
    return 0;
}

void swarm_member_free(struct swarm_member *member, int64_t now_ms)
{
    if (member == NULL)
        return;
    begin(member->of, now_ms);
    count(member, -1);
    swarm__free(member);
}

void swarm_member_set_announced(struct swarm_member *member, int64_t now_ms)
{
    if (member == NULL)
        return;
    begin(member->of, now_ms);
    set_state(member, ANNOUNCED);
}

void swarm_member_set_left(struct swarm_member *member, int64_t now_ms)
{
    if (member == NULL)
        return;
    begin(member->of, now_ms);
    set_state(member, LEFT);
}

void swarm_member_set_lapsed(struct swarm_member *member, int64_t now_ms)
{
    if (member == NULL || member->state != ANNOUNCED)
        return;
    begin(member->of, now_ms);
    member->lapsed_ms = member->of->now_ms;
    set_state(member, LAPSED);
}

void swarm_member_set_answers(struct swarm_member *member, int64_t now_ms, int answers)
{
    if (member == NULL)
        return;
    begin(member->of, now_ms);
    if (member->answers && !answers)
        member->silent_ms = member->of->now_ms;
    member->answers = answers != 0;
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/** When one that has lapsed is to go. */
static int64_t due_ms(const struct swarm_member *member)
{
    const struct swarm_membership *m = member->of;
    /* With more than half of them, now or since then: whatever was the matter, it was not this one. */
    bool in_mass = is_mass(m) || m->mass_ms >= member->lapsed_ms;
    int64_t since_ms = later(member->lapsed_ms, m->none_ms);
    int64_t wait_ms = member->answers ? m->options.keep_ms : in_mass ? m->options.mass_settle_ms : m->options.settle_ms;
    if (!member->answers)
        since_ms = later(since_ms, member->silent_ms);
    return since_ms > INT64_MAX - wait_ms ? INT64_MAX : since_ms + wait_ms;
}

int swarm_member_standing(struct swarm_member *member, int64_t now_ms, int64_t *ret_again_ms)
{
    int64_t again_ms = -1;
    int standing = SWARM_STANDING_GONE;
    if (member != NULL)
        begin(member->of, now_ms);
    if (member != NULL && member->state == ANNOUNCED) {
        standing = SWARM_STANDING_MEMBER;
    } else if (member != NULL && member->state == LAPSED) {
        int64_t due = is_none(member->of) ? INT64_MAX : due_ms(member);
        if (due > member->of->now_ms) {
            standing = SWARM_STANDING_UNANNOUNCED;
            again_ms = due == INT64_MAX ? -1 : due;
        }
    }
    if (ret_again_ms != NULL)
        *ret_again_ms = again_ms;
    return standing;
}
