/* SPDX-License-Identifier: MIT
 *
 * Bytes as a test writes them: "82 00 cc ff", blanks where they please.
 */
#ifndef SUPPORT_HEX_H
#define SUPPORT_HEX_H

#include <stddef.h>
#include <stdint.h>

/* Parse text into out[0..cap); returns the count.  A test's own mistake (not hex, no room) is SIZE_MAX. */
size_t hex_parse(const char *text, uint8_t *out, size_t cap);

#endif
