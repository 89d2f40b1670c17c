/* SPDX-License-Identifier: MIT
 *
 * The raw side of a round trip: what the host sends to an echo peer, and what comes back.
 * The peer does nothing but count bytes: that is the floor of a channel.
 */
#ifndef BENCH_ECHO_H
#define BENCH_ECHO_H

#include <stdint.h>

/* The first bytes of a request, in the machine's byte order. */
struct echo_order {
    uint32_t request_len; /* bytes, these eight among them */
    uint32_t reply_len;   /* bytes of any content */
};

/* What a peer reads and writes at once: a virtio port takes no more. */
enum { ECHO_CHUNK = 32768 };

#endif
