// SPDX-License-Identifier: MIT
#include "judge.h"

#include <linux/perf_event.h>
#include <sys/ioctl.h>

static const struct perf_event_attr dummy = {
    .type = PERF_TYPE_SOFTWARE, .config = PERF_COUNT_SW_DUMMY, .size = PERF_ATTR_SIZE_VER0};

static int open_in(const char *name, const void *bytes, size_t room, int group)
{
    char *copy = at_end(bytes, room);
    int fd = (int)see(name, call(SYS_perf_event_open, copy, 0, -1, group, 0));
    show(copy, room);
    return fd;
}

static int open_attr(const char *name, struct perf_event_attr attr)
{
    return open_in(name, &attr, PERF_ATTR_SIZE_VER0, -1);
}

static struct perf_event_attr sized(uint32_t size)
{
    struct perf_event_attr attr = dummy;
    attr.size = size;
    return attr;
}

static void sizes(void)
{
    char longer[256] = "";
    open_attr("first", dummy);
    open_attr("none", sized(0));
    open_attr("a byte less", sized(PERF_ATTR_SIZE_VER0 - 1));
    struct perf_event_attr attr = sized(256);
    memcpy(longer, &attr, PERF_ATTR_SIZE_VER0);
    open_in("longer", longer, 256, -1);
    longer[255] = 1;
    open_in("and more", longer, 256, -1);
    open_attr("beyond the memory", sized(PERF_ATTR_SIZE_VER0 + 8));
}

static void bits(void)
{
    struct perf_event_attr attr = dummy;
    attr.disabled = attr.exclude_kernel = attr.pinned = 1;
    open_attr("disabled", attr);
    attr = dummy;
    memcpy((char *)&attr + 40, &(uint64_t){1ull << 63}, 8); // the last of the bit fields
    open_attr("reserved bit", attr);
    attr = dummy;
    attr.read_format = 1ull << 40;
    open_attr("format", attr);
    attr = dummy;
    attr.type = 0x7ffffff;
    open_attr("no such type", attr);
}

static void see_id(int fd)
{
    uint64_t id = 0;
    see("id", call(SYS_ioctl, fd, PERF_EVENT_IOC_ID, &id));
    show(&id, sizeof id);
}

CASE(perf_event_open)
{
    struct perf_event_attr attr = dummy;
    uint64_t values[5] = {0};
    sizes();
    bits();
    attr.read_format = PERF_FORMAT_GROUP | PERF_FORMAT_ID;
    int leader = open_attr("leader", attr);
    int second = open_in("second", &attr, PERF_ATTR_SIZE_VER0, leader);
    see_id(leader);
    see_id(second);
    see("read", call(SYS_read, leader, values, sizeof values));
    show(values, sizeof values);
    memset(values, 0, sizeof values);
    see("no room", call(SYS_read, leader, values, 39));
    show(values, 39);
}
