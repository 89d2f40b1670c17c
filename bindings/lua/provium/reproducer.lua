-- SPDX-License-Identifier: MIT
-- A call as a C program that makes the same call: compiles with cc alone, needs nothing of Provium.
--
-- A program is put together from parts (declarations, statements), so that one of many calls can be:
-- add_memory, add_call and add_prints take the calls one by one.
local decode = require "provium.decode"

local reproducer = {}

-- ---- the C that every program has ----

local head = [[
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
]]

-- Parts, each with the words that call it.
local parts = {
  { "die(", [[
static void die(const char *what)
{
    perror(what);
    exit(2);
}
]] },
  { "place(", [[
static uintptr_t down(uintptr_t at, size_t unit)
{
    return at - at % unit;
}

/* Address space that nobody can touch; `low` is below 4 GiB. */
static unsigned char *reserve(size_t len, int low)
{
    static uintptr_t next = 0x10000000;
    void *p = MAP_FAILED;
    if (!low)
        p = mmap(NULL, len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (; low && p == MAP_FAILED && next < 0xf0000000; next += 0x1000000) {
        p = mmap((void *)next, len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (p != MAP_FAILED && (uintptr_t)p != next) {
            munmap(p, len);
            p = MAP_FAILED;
        }
    }
    if (p == MAP_FAILED)
        die("mmap");
    return p;
}

/* Memory with `size` bytes at data in front of zeros. It ends at a page that nobody can touch, or ('s') begins at
   one, or ('n') has neighbours. */
static unsigned char *place(const void *data, size_t size, size_t len, size_t align, char guard, int low)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), whole = down(len + page - 1, page) + 4 * page + align;
    uintptr_t base = (uintptr_t)reserve(whole, low), end = down(base + whole, page) - page, at, from;
    if (guard == 's') {
        at = down(base + page + align - 1, align);
        at = at % page != 0 ? down(at, page) + page : at;
        end = down(at + len + page - 1, page);
    } else {
        at = down(end - len, align);
    }
    from = down(at, page) - (guard == 'n' ? page : 0);
    end += guard == 'n' ? page : 0;
    if (end > from && mprotect((void *)from, end - from, PROT_READ | PROT_WRITE) != 0)
        die("mprotect");
    if (size > 0)
        memcpy((void *)at, data, size);
    return (unsigned char *)at;
}
]] },
  { "point(", [[
/* Write an address of `width` bytes. */
static void point(unsigned char *where, uintptr_t address, size_t width)
{
    uint32_t narrow = (uint32_t)address;
    uint64_t wide = address;
    if (width == 4)
        memcpy(where, &narrow, 4);
    else
        memcpy(where, &wide, 8);
}
]] },
  { "bad_page(", [[
/* A page that can be read at most. */
static uintptr_t bad_page(int protection)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    void *p = mmap(NULL, page, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        die("mmap");
    return (uintptr_t)p;
}
]] },
  { "call(", [[
/* What the kernel returned: -errno of a failure. */
static long long call(long nr, const long a[6])
{
    errno = 0;
    long ret = syscall(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
    return ret == -1 && errno != 0 ? -(long long)errno : ret;
}
]] },
  { "report(", [[
static void report(long long ret)
{
    if (ret < 0 && ret >= -4095)
        printf("ret %lld: %s\n", ret, strerror((int)-ret));
    else
        printf("ret %lld\n", ret);
}
]] },
  { "print(", [[
static void print(const char *name, const unsigned char *p, size_t len)
{
    printf("%s %zu bytes\n", name, len);
    for (size_t at = 0; at < len; at += 16) {
        printf("%06zx ", at);
        for (size_t i = at; i < len && i < at + 16; i++)
            printf(" %02x", p[i]);
        printf("\n");
    }
}
]] },
}

-- Addresses that no program has: as the agent's (agent/address.c).
local fixed = {
  x86_64 = { noncanonical = "0x4000000000000000", kernel = "0xffffffff81000000" },
  aarch64 = { noncanonical = "0x40000000000000", kernel = "0xffff800008000000" },
}

-- ---- values in C ----

local function integer(v)
  if v == math.mininteger then
    return "(-0x7fffffffffffffff - 1)"
  end
  return (v > -65536 and v < 65536 and "%d" or v > 0 and "0x%x" or "(long)0x%xu"):format(v)
end

-- Bytes as the content of an array: 16 in a line.
local function byte_lines(bytes)
  local lines = {}
  for at = 1, #bytes, 16 do
    lines[#lines + 1] = "    " .. bytes:sub(at, at + 15):gsub(".", function(c) return ("0x%02x, "):format(c:byte()) end)
  end
  return (table.concat(lines, "\n"):gsub(" \n", "\n"):gsub(" $", ""))
end

-- ---- memory ----

-- Every buffer of a call, with its name in C.  Four bytes name only what lies below 4 GiB.
local function name_memory(event, prefix)
  local list, by_arg, by_spec = {}, {}, {}
  for _, b in ipairs(event.bufs) do
    by_arg[b.arg] = { of = b, name = ("%sbuf%d"):format(prefix, b.arg), shown = ("buf[%d]"):format(b.arg) }
    list[#list + 1] = by_arg[b.arg]
  end
  for i, p in ipairs(event.ptrs) do
    if p.len then
      by_spec[i] = { of = p, name = ("%ssub%d"):format(prefix, i), shown = ("sub[%d]"):format(i) }
      list[#list + 1] = by_spec[i]
    end
  end
  for i, p in ipairs(event.ptrs) do
    local target = p.same or i
    while event.ptrs[target].same do -- a circle was refused
      target = event.ptrs[target].same
    end
    by_spec[i] = by_spec[i] or by_spec[target]
    if by_spec[i] and p.width < event.pointer_width then
      by_spec[i].low = true
    end
  end
  return list, by_arg, by_spec
end

-- By default an address is aligned to the lowest bit of the length: at the end of a page it is by itself.
local function add_memory(c, list)
  for _, m in ipairs(list) do
    local b = m.of
    local data = b.dir ~= "out" and b.dir ~= "none" and b.data:gsub("\0+$", "") or ""
    local source = "NULL"
    if data ~= "" then
      source = m.name .. "_data"
      c.data[#c.data + 1] = ("static const unsigned char %s[] = {\n%s\n};\n"):format(source, byte_lines(data))
    end
    c.body[#c.body + 1] = ("unsigned char *%s = place(%s, %d, %d, %d, '%s', %d);"):format(
      m.name, source, #data, b.len, b.align or 1, b.guard:sub(1, 1), (b.low or m.low) and 1 or 0)
  end
end

local function address(event, p, target)
  local to
  if p.null then
    to = "0"
  elseif p.bad == "unmapped" or p.bad == "readonly" then
    to = ("bad_page(%s)"):format(p.bad == "readonly" and "PROT_READ" or "PROT_NONE")
  elseif p.bad then
    local known = fixed[event.arch]
    to = known and known[p.bad] or error(("reproducer: %s has no %s address"):format(event.arch, p.bad), 0)
  else
    to = "(uintptr_t)" .. target.name
  end
  return p.plus == 0 and to or ("%s + (uintptr_t)%s"):format(to, integer(p.plus))
end

local function add_pointers(c, event, by_arg, by_spec)
  for i, p in ipairs(event.ptrs) do
    local holder = p.parent and by_spec[p.parent] or by_arg[p.buf_idx]
    c.body[#c.body + 1] = ("point(%s + %d, %s, %d);"):format(
      holder.name, p.offset, address(event, p, by_spec[i]), p.width)
  end
end

-- ---- the call ----

local function add_call(c, event, by_arg, prefix)
  local args = {}
  for i = 0, 5 do
    args[i + 1] = by_arg[i] and "(long)" .. by_arg[i].name or integer(event.args[i + 1] or 0)
  end
  local name = decode.syscall(event.arch, event.nr)
  c.body[#c.body + 1] = ("const long %sargs[6] = {%s};"):format(prefix, table.concat(args, ", "))
  c.body[#c.body + 1] = ("long long %sret = call(%s, %sargs); /* %s */"):format(prefix, integer(event.nr), prefix, name)
end

local function add_prints(c, list, prefix)
  c.body[#c.body + 1] = ("report(%sret);"):format(prefix)
  for _, m in ipairs(list) do
    if m.of.dir == "out" or m.of.dir == "inout" then
      c.body[#c.body + 1] = ('print("%s", %s, %d);'):format(m.shown, m.name, m.of.len)
    end
  end
end

-- ---- the file ----

-- The parts that the text needs, and those that they need.
local function needed(body)
  local text, used = body, {}
  for i = #parts, 1, -1 do
    if text:find("%f[%w_]" .. parts[i][1]:gsub("%(", "%%(")) then
      table.insert(used, 1, parts[i][2])
      text = text .. parts[i][2]
    end
  end
  return table.concat(used, "\n")
end

local function check(event)
  if type(event) ~= "table" or not (event.nr and event.args and event.bufs and event.ptrs and event.arch) then
    error("reproducer: a call as vm:last_call() or provium.trace gives it expected, got " .. type(event), 3)
  elseif event.malformed then
    error("reproducer: the call was never made: " .. event.error, 3)
  elseif event.moved and next(event.moved) then
    error("reproducer: what this step of a program does depends on other steps", 3)
  end
end

local comment = "/* %s on %s, by provium.reproducer: cc this file, run it.\n"
  .. "   What earlier calls left (descriptors, files, credentials) must be there as it was. */\n"

--- The C text of a program that makes the call of an event, and prints what comes back.
function reproducer.reproducer(event)
  check(event)
  local c, prefix = { data = {}, body = {} }, ""
  local list, by_arg, by_spec = name_memory(event, prefix)
  add_memory(c, list)
  add_pointers(c, event, by_arg, by_spec)
  add_call(c, event, by_arg, prefix)
  add_prints(c, list, prefix)
  local body = table.concat(c.body, "\n    ")
  local main = ("int main(void)\n{\n    %s\n    return 0;\n}\n"):format(body)
  return table.concat({ comment:format(decode.syscall(event.arch, event.nr), event.arch) .. head, needed(body),
    table.concat(c.data, "\n"), main }, "\n")
end

return reproducer
