/* SPDX-License-Identifier: MIT
 *
 * What the files of the Lua binding share.  It knows provium.h and lua.h only.
 *
 * Lua raises by longjmp, so two rules hold everywhere: all arguments are checked
 * before anything is asked of libprovium, and whatever must outlive a raise is
 * userdata or belongs to a handle.
 */
#ifndef LPROVIUM_H
#define LPROVIUM_H

#include <lauxlib.h>
#include <lua.h>

#include "provium.h"

#define LPROVIUM_VM "provium.vm"
#define LPROVIUM_SESSION "provium.session"

/* Of a Lua state: are its calls watched? */
struct lprovium_watch {
    bool on;     /* now: the only thing that a call looks at */
    bool wanted; /* there is a function */
    bool busy;   /* it runs: calls of its own are not watched */
};

/* The userdata behind a VM, or behind a session of its own (provium.attach). */
struct lprovium_handle {
    struct provium_vm *vm;           /* NULL in a session's handle, and once closed */
    struct provium_session *session; /* NULL in a VM's handle, and once closed */
    bool booted;                     /* a VM that has been up at least once */
    bool stopped;                    /* a VM that the script shut down or killed */
    struct lprovium_watch *watch;    /* of its Lua state, which owns it */
    struct lprovium_node *garbage;   /* regions that Lua collected, see lregion.c */
};

/* ---- lconv.c: Lua values to C ---- */

/* What an error text points at: "caller: field", "caller: list[item]" or "caller: list[item].field". */
struct lprovium_place {
    const char *caller;
    const char *list; /* NULL: there is only a field */
    lua_Integer item;
    const char *field; /* NULL: the item itself */
};

/* An array of pointers that is written as a list. */
enum lprovium_list_kind { LPROVIUM_NO_LIST, LPROVIUM_ARGV, LPROVIUM_IOVEC };

struct lprovium_list {
    enum lprovium_list_kind kind;
    size_t count; /* elements */
    size_t len;   /* bytes of the array */
    size_t place; /* among the values that come back; SIZE_MAX: none */
    size_t first; /* its first element among the hidden outputs */
};

/* A call that is being put together.  `call` points into the rest. */
struct lprovium_call {
    struct provium_call call;
    int64_t args[PROVIUM_ARGS_MAX];
    struct provium_buffer bufs[PROVIUM_ARGS_MAX];
    struct lprovium_handle *handle;
    struct lprovium_list lists[PROVIUM_ARGS_MAX]; /* of arguments; only read if list_count is not 0 */
    size_t list_count, element_count;             /* of arguments and specs together */
    const struct lprovium_list *all_lists;        /* in the order of their places; valid as long as the stack */
    size_t hidden;                                /* outputs of elements: the last ones, shown inside lists */
};

/* Raise "PLACE: message", with the script's position in front. */
_Noreturn void lprovium_raise(lua_State *L, const struct lprovium_place *place, const char *fmt, ...);

/* The value at `at` as any 64-bit pattern, as a length or offset, as an argument index, as bytes. */
int64_t lprovium_check_word(lua_State *L, int at, const struct lprovium_place *place);
uint64_t lprovium_check_size(lua_State *L, int at, const struct lprovium_place *place);
unsigned lprovium_check_index(lua_State *L, int at, const struct lprovium_place *place);
struct provium_bytes lprovium_check_bytes(lua_State *L, int at, const struct lprovium_place *place);

/* The value at `at` as one of the words, whose list ends with NULL; as a boolean. */
unsigned lprovium_check_name(lua_State *L, int at, const char *const words[], const struct lprovium_place *place);
bool lprovium_check_flag(lua_State *L, int at, const struct lprovium_place *place);

/* The number of a system call at `at`, or its name, which is one of the guest's architecture. */
void lprovium_check_nr(lua_State *L, int at, struct lprovium_call *c, struct lprovium_handle *h);

/* The arguments from stack index `from` to the top. */
void lprovium_check_args(lua_State *L, int from, struct lprovium_call *c);

/* The table of buffers at `at`, keyed by argument index. */
void lprovium_check_bufs(lua_State *L, int at, struct lprovium_call *c);

/* What the pointer specs of a call look like. */
struct lprovium_spec_rules {
    const char *list; /* "ptrs" or "specs" in error texts */
    bool has_buf_idx; /* false: buf_idx is given here, and buf_len is another name of data_len */
    unsigned buf_idx;
};

/* The list of pointer specs at `at`.  Pushes one userdata, which holds them. */
void lprovium_check_ptrs(lua_State *L, int at, struct lprovium_call *c, const struct lprovium_spec_rules *rules);

/* ---- lbuffer.c ---- */

/* If `key` is one of dir, guard, align, low: take its value at `at`. */
bool lprovium_check_placement(lua_State *L, int at, const char *key, const struct lprovium_place *place,
                              struct provium_place *out);

/* The string, size or table at `at`, into *b, whose `arg` is set and the rest zero.  A list goes into *list, which may
 * be NULL where none is allowed; its array's bytes are written by lprovium_expand_lists. */
void lprovium_check_buffer(lua_State *L, int at, const struct lprovium_place *place, struct provium_buffer *b,
                           struct lprovium_list *list);

/* ---- llist.c ---- */

enum lprovium_list_kind lprovium_list_kind(const char *key);
const char *lprovium_list_name(enum lprovium_list_kind kind);

/* The table at `at` as a list of that kind; its elements are not looked at yet. */
struct lprovium_list lprovium_check_list(lua_State *L, int at, enum lprovium_list_kind kind,
                                         const struct lprovium_place *place);

/* Bytes of its array, into list->len. */
void lprovium_size_list(struct lprovium_list *list, const struct lprovium_call *c);

/* Turn the lists in the tables of buffers and specs (0: there is none) into pointer specs of their elements.  Pushes
 * values, which hold what `c` points at. */
void lprovium_expand_lists(lua_State *L, int bufs_at, int ptrs_at, struct lprovium_call *c);

/* ---- lresult.c ---- */

/* Execute, push what the contract says, return how many values that is; raises when
 * there is no result. */
int lprovium_execute(lua_State *L, struct lprovium_handle *h, const struct lprovium_call *c);

/* The same, as one table. */
int lprovium_execute_table(lua_State *L, struct lprovium_handle *h, const struct lprovium_call *c);

/* Push the table of a call that never returned. */
void lprovium_push_ended(lua_State *L, const struct provium_result *r);

/* Into the table on top: ret, and errno and errname if it is a failure; outs = {n = count, ...}, in the contract's order,
 * of `outs`, which may be NULL and has the hidden ones behind them. */
void lprovium_set_ret(lua_State *L, int64_t ret);
void lprovium_set_outs(lua_State *L, const struct lprovium_call *c, const struct provium_bytes *outs, size_t count);

/* Push the list of ranges. */
void lprovium_push_ranges(lua_State *L, const struct provium_call *call, const struct provium_range *ranges,
                          size_t count);

/* ---- lprogram.c: vm:program ---- */

extern const luaL_Reg lprovium_program_functions[];

/* ---- ltrace.c: calls as tables, for whoever watches ---- */

struct lprovium_watch *lprovium_watch_of(lua_State *L);
int lprovium_set_watch(lua_State *L);

/* Push a call as a table ("event" in docs/lua.md); add to the one on top what came back, which is borrowed: the
 * collector must not run meanwhile, since finalizers may make calls. */
void lprovium_push_call(lua_State *L, const struct provium_call *call, const struct provium_info *info);
void lprovium_add_result(lua_State *L, const struct provium_call *call, const struct provium_result *r);

/* Hand the event at `at` to whoever watches, with the handle at index 1.  Raises what that raises. */
void lprovium_tell(lua_State *L, struct lprovium_watch *watch, int at);

/* Push the event at `at` in words, such as getpid(); an empty string where that fails. */
void lprovium_push_words(lua_State *L, int at);

/* ---- ltable.c: the table form ---- */

int lprovium_call_table(lua_State *L);

/* ---- lstruct.c: struct values in calls ---- */

/* Is there one among the arguments, or in a table of them?  Then the function that makes such
 * calls is pushed. */
bool lprovium_has_structs(lua_State *L, int first, int last);

/* Make the call with that function: its results; raises what it raises. */
int lprovium_call_structs(lua_State *L, const char *caller);

/* ---- lcall.c: the six calls ---- */

/* Begin the call `caller` on the handle at index 1. */
struct lprovium_handle *lprovium_begin(lua_State *L, struct lprovium_call *c, const char *caller);

extern const luaL_Reg lprovium_call_methods[];

/* ---- lregion.c: memory that outlives a call ---- */

bool lprovium_is_region(lua_State *L, int at);

/* The value at `at` as any 64-bit pattern, or as a region of the handle: its address. */
int64_t lprovium_check_address(lua_State *L, int at, const struct lprovium_place *place,
                               const struct lprovium_handle *h);

/* The handle is closed: nothing waits for its agent any more. */
void lprovium_forget_regions(struct lprovium_handle *h);

/* Make the type; leaves nothing on the stack. */
void lprovium_make_region_type(lua_State *L);

extern const luaL_Reg lprovium_region_methods[];

/* ---- lboot.c: boot and attach ---- */

int lprovium_boot(lua_State *L);
int lprovium_spawn(lua_State *L);
int lprovium_connect(lua_State *L);

/* ---- lpack.c ---- */

int lprovium_pack(lua_State *L);
int lprovium_unpack(lua_State *L);

/* ---- lnames.c: names of the kernel's headers ---- */

/* Were there headers of that architecture when this was built? */
bool lprovium_has_names(const char *arch);

/* The number of a system call; false if there is none of that name. */
bool lprovium_find_nr(const char *arch, struct provium_bytes name, int64_t *nr);

/* Push " (did you mean ...?)" with names that are near, or an empty string. */
void lprovium_push_hint(lua_State *L, const char *arch, const char *kind, struct provium_bytes name);

int lprovium_names_find(lua_State *L);
int lprovium_names_next(lua_State *L);
int lprovium_names_hint(lua_State *L);

/* ---- lprovium.c: handles ---- */

/* The handle at index 1; raises, in the name of `caller`, when there is none. */
struct lprovium_handle *lprovium_check_handle(lua_State *L, const char *caller);

/* Its session; raises with the reason when there is none. */
struct provium_session *lprovium_check_session(lua_State *L, struct lprovium_handle *h, const char *caller);

/* Is there a session? */
bool lprovium_is_open(const struct lprovium_handle *h);

/* The last error of a handle's VM or session. */
const struct provium_error *lprovium_error(const struct lprovium_handle *h);

/* Push its text, which begins with the name of a C function, with `caller` in place of that. */
void lprovium_push_error(lua_State *L, const struct provium_error *e, const char *caller);

/* Push a new, empty handle of the type LPROVIUM_VM or LPROVIUM_SESSION. */
struct lprovium_handle *lprovium_push_handle(lua_State *L, const char *type);

/* What require "provium.core" calls; the only symbol that core.so exports. */
__attribute__((visibility("default"))) LUAMOD_API int luaopen_provium_core(lua_State *L);

#endif
