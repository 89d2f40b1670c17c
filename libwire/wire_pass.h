/* SPDX-License-Identifier: MIT
 *
 * One pass over a table: kinds of rows that it has no use for are empty, and all are
 * undefined behind it.  Included by wire_ops.h and what belongs to it.
 */
#ifndef WIRE_RECORD
#define WIRE_RECORD(name, unknown, doc)
#endif
#ifndef WIRE_FIELD
#define WIRE_FIELD(record, number, name, type, need, doc)
#endif
#ifndef WIRE_LIST
#define WIRE_LIST(record, number, name, of, need, doc)
#endif
#ifndef WIRE_END
#define WIRE_END(record)
#endif

#include WIRE_OPS_FILE

#undef WIRE_RECORD
#undef WIRE_FIELD
#undef WIRE_LIST
#undef WIRE_END
