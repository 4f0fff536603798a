/* SPDX-License-Identifier: Apache-2.0 */
/* The order in which people sort numbered names: node2 before node10. */
#ifndef MANAGE_NATURAL_ORDER_H
#define MANAGE_NATURAL_ORDER_H

/* Like strcmp(). Blanks do not count; runs of digits compare as numbers, other runs as bytes. */
int natural_compare(const char *a, const char *b);

#endif
