/* SPDX-License-Identifier: MIT
 *
 * put and get of every record of ops.def: straight-line code for what a call takes,
 * a plan for the rest.
 */
#include "wire.h"

#define WIRE_OPS_FILE "ops.def"
#define WIRE_OPS_PREFIX wire_
#define WIRE_OPS_UPPER WIRE_
#define WIRE_OPS_CODE
#define WIRE_HOT_ONLY
#include "wire_ops.h"
#undef WIRE_HOT_ONLY

#define WIRE_OPS_FILE "ops.def"
#define WIRE_OPS_PREFIX wire_
#define WIRE_OPS_UPPER WIRE_
#define WIRE_OPS_PLAN
#define WIRE_COLD_ONLY
#include "wire_ops.h"
#undef WIRE_COLD_ONLY
