/* SPDX-License-Identifier: MIT
 *
 * Memory that outlives a call, and any other memory of the executor: SPEC "Regions".
 */
#include <inttypes.h>
#include <string.h>

#include "session_impl.h"

/* ---- is it still there? ---- */

bool provium_region_is_lost(const struct provium_session *s, const struct provium_region *region)
{
    return s == NULL || s->state != SESSION_OPEN || region->generation != s->generation ||
           memcmp(region->session, s->nonce, sizeof s->nonce) != 0;
}

static enum provium_status fail_lost(struct provium_session *s, const char *caller, const struct provium_region *region)
{
    if (memcmp(region->session, s->nonce, sizeof s->nonce) != 0)
        return provium_fail(&s->error, PROVIUM_E_ARGUMENT, 0, "%s: region: it was lost with its session", caller);
    return provium_fail(&s->error, PROVIUM_E_ARGUMENT, 0,
                        "%s: region: it was lost with its executor (generation %" PRIu32 ")", caller,
                        region->generation);
}

/* Can the session be asked about this region, which may be NULL? */
static enum provium_status check(struct provium_session *s, const char *caller, const struct provium_region *region)
{
    enum provium_status status = provium_check_open(s, caller);
    if (status != PROVIUM_OK)
        return status;
    if ((s->info.caps & WIRE_CAP_regions) == 0)
        return provium_fail(&s->error, PROVIUM_E_ARGUMENT, 0, "%s: this agent cannot: it lacks the capability regions",
                            caller);
    return region != NULL && provium_region_is_lost(s, region) ? fail_lost(s, caller, region) : PROVIUM_OK;
}

/* ---- one request ---- */

/* An executor that is not known to have ended yet is: the next call will report how. */
static enum provium_status fail_replaced(struct provium_session *s, const struct rpc *rpc,
                                         const struct provium_region *region)
{
    if (region != NULL)
        return fail_lost(s, rpc->caller, region);
    return provium_fail(&s->error, PROVIUM_E_REFUSED, 0,
                        "%s: the executor ended (generation %" PRIu32 "); the next call reports how", rpc->caller,
                        s->generation);
}

/* Send what the writer holds and wait for the answer. */
static enum provium_status ask(struct provium_session *s, struct wire_writer *w, struct rpc *rpc,
                               const struct provium_region *region)
{
    if (wire_end(w) != WIRE_OK || wire_writer_total(w) - WIRE_FRAME_HEADER > s->info.frame_limit)
        return provium_fail(&s->error, PROVIUM_E_LIMIT, 0, "%s: the data exceed the agreed frame of %" PRIu32 " bytes",
                            rpc->caller, s->info.frame_limit);
    rpc->deadline_ms = provium_now_ms() + s->timeout_ms;
    enum provium_status status = provium_rpc_call(s, w, rpc);
    return status == PROVIUM_E_REFUSED && rpc->refused == WIRE_ERR_WORKER_REPLACED ? fail_replaced(s, rpc, region)
                                                                                   : status;
}

static enum provium_status damaged(struct provium_session *s, const struct rpc *rpc, enum wire_status status)
{
    if (status != WIRE_OK)
        return provium_session_lost(s, PROVIUM_E_PROTOCOL, rpc->caller, "the agent's reply is damaged: %s",
                                    wire_status_text(status));
    return provium_session_lost(s, PROVIUM_E_PROTOCOL, rpc->caller, "the agent's reply does not fit the request");
}

/* ---- regions ---- */

static enum provium_status check_wish(struct provium_session *s, const char *caller, uint64_t len,
                                      const struct provium_place *place)
{
    if (len == 0)
        return provium_fail(&s->error, PROVIUM_E_ARGUMENT, 0, "%s: len: a region has at least one byte", caller);
    if (len > s->info.memory_limit)
        return provium_fail(&s->error, PROVIUM_E_LIMIT, 0,
                            "%s: len: %" PRIu64 " bytes exceed the agreed memory of %" PRIu32 " bytes", caller, len,
                            s->info.memory_limit);
    if (place != NULL && (place->dir != PROVIUM_DIR_DEFAULT || place->align != 0))
        return provium_fail(&s->error, PROVIUM_E_ARGUMENT, 0, "%s: %s: not for a region", caller,
                            place->align != 0 ? "align" : "dir");
    if (place != NULL && place->guard > PROVIUM_GUARD_NONE)
        return provium_fail(&s->error, PROVIUM_E_ARGUMENT, 0, "%s: guard: no such guard", caller);
    return PROVIUM_OK;
}

enum provium_status provium_region_alloc(struct provium_session *s, uint64_t len, const struct provium_place *place,
                                         struct provium_region *region)
{
    struct rpc rpc = {.caller = "provium_region_alloc", .op = WIRE_OP_region_alloc};
    struct wire_region_alloc_request m = {.len = (uint32_t)len};
    struct wire_region_alloc_reply reply;
    struct wire_writer w;
    size_t at;
    enum provium_status status = check(s, rpc.caller, NULL);
    if (status == PROVIUM_OK)
        status = check_wish(s, rpc.caller, len, place);
    if (status != PROVIUM_OK)
        return status;
    if (place != NULL && place->guard != PROVIUM_GUARD_END) {
        m.has |= WIRE_HAS(region_alloc_request, guard);
        m.guard = (uint8_t)place->guard;
    }
    if (place != NULL && place->low) {
        m.has |= WIRE_HAS(region_alloc_request, low);
        m.low = 1;
    }
    provium_rpc_begin(s, &w, &rpc);
    wire_put_region_alloc_request(&w, &m);
    status = ask(s, &w, &rpc, NULL);
    if (status != PROVIUM_OK)
        return status;
    enum wire_status wire = wire_decode_region_alloc_reply(rpc.reply.body, &reply, &at);
    if (wire != WIRE_OK || reply.region == 0 || reply.address == 0)
        return damaged(s, &rpc, wire);
    *region = (struct provium_region){
        .address = (uint64_t)reply.address, .len = m.len, .id = reply.region, .generation = rpc.reply.generation};
    memcpy(region->session, s->nonce, sizeof region->session);
    return PROVIUM_OK;
}

enum provium_status provium_region_free(struct provium_session *s, const struct provium_region *region)
{
    struct rpc rpc = {.caller = "provium_region_free", .op = WIRE_OP_region_free};
    struct wire_region_free_request m = {.region = region->id};
    struct wire_region_free_reply reply;
    struct wire_writer w;
    size_t at;
    enum provium_status status = check(s, rpc.caller, region);
    if (status != PROVIUM_OK)
        return status;
    provium_rpc_begin(s, &w, &rpc);
    wire_put_region_free_request(&w, &m);
    status = ask(s, &w, &rpc, region);
    if (status != PROVIUM_OK)
        return status;
    enum wire_status wire = wire_decode_region_free_reply(rpc.reply.body, &reply, &at);
    return wire != WIRE_OK || reply.len != region->len ? damaged(s, &rpc, wire) : PROVIUM_OK;
}

/* ---- memory ---- */

/* Inside its region, if there is one, and not more than one message holds. */
static enum provium_status check_memory(struct provium_session *s, const char *caller, const struct provium_memory *m)
{
    enum { ROOM = 64 }; /* SPEC [REGION-6] */
    const struct provium_region *r = m->region;
    enum provium_status status = check(s, caller, r);
    if (status != PROVIUM_OK)
        return status;
    if (r != NULL && (m->at > r->len || m->len > r->len - m->at))
        return provium_fail(&s->error, PROVIUM_E_ARGUMENT, 0,
                            "%s: offset: %" PRIu64 " + %zu exceeds the region (%" PRIu32 " bytes)", caller, m->at,
                            m->len, r->len);
    if (m->len > s->info.frame_limit - ROOM)
        return provium_fail(&s->error, PROVIUM_E_LIMIT, 0,
                            "%s: len: %zu bytes exceed the agreed frame of %" PRIu32 " bytes", caller, m->len,
                            s->info.frame_limit);
    return PROVIUM_OK;
}

enum provium_status provium_memory_read(struct provium_session *s, const struct provium_memory *memory,
                                        struct provium_bytes *out)
{
    struct rpc rpc = {.caller = "provium_memory_read", .op = WIRE_OP_region_read};
    struct wire_region_read_reply reply;
    struct wire_writer w;
    size_t at;
    enum provium_status status = check_memory(s, rpc.caller, memory);
    if (status != PROVIUM_OK)
        return status;
    struct wire_region_read_request m = {.at = (int64_t)memory->at, .len = (uint32_t)memory->len};
    if (memory->region != NULL) {
        m.has = WIRE_HAS(region_read_request, region);
        m.region = memory->region->id;
    }
    provium_rpc_begin(s, &w, &rpc);
    wire_put_region_read_request(&w, &m);
    status = ask(s, &w, &rpc, memory->region);
    if (status != PROVIUM_OK)
        return status;
    enum wire_status wire = wire_decode_region_read_reply(rpc.reply.body, &reply, &at);
    if (wire != WIRE_OK || reply.data.len > memory->len)
        return damaged(s, &rpc, wire);
    *out = (struct provium_bytes){reply.data.ptr, reply.data.len};
    return PROVIUM_OK;
}

enum provium_status provium_memory_write(struct provium_session *s, const struct provium_memory *memory,
                                         size_t *written)
{
    struct rpc rpc = {.caller = "provium_memory_write", .op = WIRE_OP_region_write};
    struct wire_region_write_reply reply;
    struct wire_slice slices[4]; /* before the data, the data, behind them */
    struct wire_writer w;
    size_t at;
    enum provium_status status = check_memory(s, rpc.caller, memory);
    if (status != PROVIUM_OK)
        return status;
    struct wire_region_write_request m = {.at = (int64_t)memory->at, .data = {memory->data, memory->len}};
    if (memory->region != NULL) {
        m.has = WIRE_HAS(region_write_request, region);
        m.region = memory->region->id;
    }
    provium_rpc_begin(s, &w, &rpc);
    wire_writer_borrow(&w, slices, sizeof slices / sizeof slices[0]);
    wire_put_region_write_request(&w, &m);
    status = ask(s, &w, &rpc, memory->region);
    if (status != PROVIUM_OK)
        return status;
    enum wire_status wire = wire_decode_region_write_reply(rpc.reply.body, &reply, &at);
    if (wire != WIRE_OK || reply.len > memory->len)
        return damaged(s, &rpc, wire);
    *written = reply.len;
    return PROVIUM_OK;
}
