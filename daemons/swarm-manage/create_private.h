/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MANAGE_CREATE_PRIVATE_H
#define MANAGE_CREATE_PRIVATE_H

#include <stdbool.h>

#include "create.h"

/* create_reserved(), which also tells whether it failed because the image could not be had on that engine. */
int create_on_engine(struct manager *manager, struct swarm_reservation *reservation, const struct create_order *order,
                     json_t **ret_answer, struct engine **ret_engine, bool *ret_image_missing, struct failure *failure);

#endif
