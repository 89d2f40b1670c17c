/* SPDX-License-Identifier: MIT
 *
 * put and get of every record of ops.def: wire_codec.h makes them.
 */
#include "wire.h"

#define WIRE_OPS_FILE "ops.def"
#define WIRE_OPS_PREFIX wire_
#define WIRE_OPS_UPPER WIRE_
#define WIRE_OPS_CODE
#include "wire_ops.h"
