/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SWARM_MEMBERSHIP_H
#define SWARM_MEMBERSHIP_H

/** @file
 * Which nodes belong to a pool, where each is announced somewhere (in a store, say) for as long as it belongs to it. */

#include <stddef.h>
#include <stdint.h>

#include <swarm/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * The members of one pool, counted. It tells leaving from failing: what becomes of a node that is not announced any
 * more depends on whether it said that it leaves, on whether it answers, and on how many others vanished with it.
 *
 *   announced                        it is a member
 *   said that it leaves              it is gone, at once
 *   lapsed, and it answers           unannounced: it keeps what it runs, takes nothing new, nothing of it is moved;
 * gone after keep_ms lapsed, and it does not answer   gone, once both have been so for settle_ms
 *
 * That many lapse at once says something of the place where they are announced rather than of them. Two or more at
 * least have to: one by itself never counts as many.
 *
 *   all members have lapsed          none of them goes, however long that lasts; their times begin anew with the first
 *                                    that is announced again
 *   more than half of them have      those that do not answer go only after mass_settle_ms, also where the others have
 *                                    come back since
 *
 * The times that functions take, now_ms, are milliseconds of one monotonic clock of the caller's; one before the last
 * counts as that. A node that is unannounced is to have SWARM_AVAILABILITY_UNANNOUNCED (node.h). What is moved off a
 * node that does not answer is the rescheduler's to say (rescheduler.h), whatever its membership.
 *
 * Thread safety: one thread at a time for a membership with all its members. Since: 1.4
 */
struct swarm_membership;

/** One node of a membership. */
struct swarm_member;

/** What a membership is made of. Times are milliseconds, 0 or more. */
struct swarm_membership_options {
    size_t size;            /**< Set by SWARM_MEMBERSHIP_OPTIONS_INIT. */
    int64_t keep_ms;        /**< For so long a node stays that answers but has lapsed. Default 3,600,000: an hour. */
    int64_t settle_ms;      /**< Pause before one that does not answer goes: others may be about to lapse, too. Default
                                 500. */
    int64_t mass_settle_ms; /**< The same where more than half have lapsed. Default 180,000. */
};
/** What a struct swarm_membership_options begins as: its size, and its defaults. */
#define SWARM_MEMBERSHIP_OPTIONS_INIT                                                                                  \
    {                                                                                                                  \
        sizeof(struct swarm_membership_options), 3600000, 500, 180000                                                  \
    }

/** What is to become of a node. */
enum swarm_standing {
    SWARM_STANDING_MEMBER = 0,      /**< It is announced. */
    SWARM_STANDING_UNANNOUNCED = 1, /**< It is not, but stays: with what it runs, and without anything new. */
    SWARM_STANDING_GONE = 2,        /**< It is to leave the pool; where it does not answer, once what is to be moved off
                                         it has been (see swarm_rescheduler_node_removed()). */
};

/**
 * Make a membership without members.
 *
 * @param ret_membership  New, release with swarm_membership_free(). Untouched on failure.
 * @param options         NULL: all defaults.
 * @param reterr          Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return 0, SWARM_ERR_INVALID (NULL, options out of their range: the message says which), SWARM_ERR_NOMEM.
 *
 * Thread safety: any thread. Since: 1.4
 */
SWARM_EXPORT int swarm_membership_new(struct swarm_membership **ret_membership,
                                      const struct swarm_membership_options *options, struct swarm_error **reterr);

/**
 * Release it, after its members.
 *
 * @param membership  NULL is allowed.
 *
 * Thread safety: as of the membership. Since: 1.4
 */
SWARM_EXPORT void swarm_membership_free(struct swarm_membership *membership);

/**
 * Say whether all members have lapsed, two or more, so that none of them goes.
 *
 * @param membership  NULL is allowed.
 *
 * @return 1 or 0.
 *
 * Thread safety: as of the membership. Since: 1.4
 */
SWARM_EXPORT int swarm_membership_held(const struct swarm_membership *membership);

/**
 * Add a node, which is announced and has not answered yet.
 *
 * @param ret_member  New, release with swarm_member_free(). Untouched on failure.
 * @param membership  Not NULL. Borrowed: must outlive it.
 * @param now_ms      The time of the event.
 * @param reterr      Optional. New error, release with swarm_error_free(). Untouched on success.
 *
 * @return 0, SWARM_ERR_INVALID (NULL), SWARM_ERR_NOMEM.
 *
 * Thread safety: as of the membership. Since: 1.4
 */
SWARM_EXPORT int swarm_member_new(struct swarm_member **ret_member, struct swarm_membership *membership, int64_t now_ms,
                                  struct swarm_error **reterr);

/**
 * Take a node out, and release it.
 *
 * @param member  NULL is allowed.
 * @param now_ms  The time of the event.
 *
 * Thread safety: as of the membership. Since: 1.4
 */
SWARM_EXPORT void swarm_member_free(struct swarm_member *member, int64_t now_ms);

/**
 * It is announced (again).
 *
 * @param member  NULL is allowed.
 * @param now_ms  The time of the event.
 *
 * Thread safety: as of the membership. Since: 1.4
 */
SWARM_EXPORT void swarm_member_set_announced(struct swarm_member *member, int64_t now_ms);

/**
 * It said that it leaves. That holds until it is announced again.
 *
 * @param member  NULL is allowed.
 * @param now_ms  The time of the event.
 *
 * Thread safety: as of the membership. Since: 1.4
 */
SWARM_EXPORT void swarm_member_set_left(struct swarm_member *member, int64_t now_ms);

/**
 * It is not announced any more. Without effect on one that left, or that has lapsed already.
 *
 * @param member  NULL is allowed.
 * @param now_ms  The time of the event.
 *
 * Thread safety: as of the membership. Since: 1.4
 */
SWARM_EXPORT void swarm_member_set_lapsed(struct swarm_member *member, int64_t now_ms);

/**
 * It answers, or does not.
 *
 * @param member   NULL is allowed.
 * @param now_ms   The time of the event.
 * @param answers  0 or not.
 *
 * Thread safety: as of the membership. Since: 1.4
 */
SWARM_EXPORT void swarm_member_set_answers(struct swarm_member *member, int64_t now_ms, int answers);

/**
 * Say what is to become of it.
 *
 * @param member        NULL is allowed.
 * @param now_ms        The time.
 * @param ret_again_ms  When that may change without another event about any member, on the caller's clock; -1: never.
 *                      Events about others may change it at any time. May be NULL.
 *
 * @return enum swarm_standing; GONE for NULL.
 *
 * Thread safety: as of the membership. Since: 1.4
 */
SWARM_EXPORT int swarm_member_standing(struct swarm_member *member, int64_t now_ms, int64_t *ret_again_ms);

#ifdef __cplusplus
}
#endif
#endif
