/* SPDX-License-Identifier: MIT
 *
 * The group `codec` where messages are large: what is copied, and what sending costs.
 */
#ifndef CODEC_BULK_H
#define CODEC_BULK_H

#include <stdio.h>

/* Print and append the rows. */
void codec_bulk(FILE *json);

#endif
