// SPDX-License-Identifier: MIT
#include "judge.h"

#include <linux/aio_abi.h>
#include <sys/uio.h>

static aio_context_t ctx;
static uint32_t fd;

static struct iocb request(uint64_t data, uint16_t opcode, const struct iovec *iov, uint64_t count)
{
    return (struct iocb){.aio_data = data, .aio_lio_opcode = opcode, .aio_fildes = fd,
        .aio_buf = (uintptr_t)iov, .aio_nbytes = count};
}

static void events(long count)
{
    struct io_event list[2] = {0};
    see("io_getevents", call(SYS_io_getevents, ctx, count, count, list, NULL));
    show(list, (size_t)count * sizeof *list);
}

static void write_two(void)
{
    struct iovec two[] = {{at_end("hello ", 6), 6}, {at_end("world", 5), 5}}, one[] = {{at_end("!", 1), 1}};
    struct iocb first = request(1, IOCB_CMD_PWRITEV, two, 2), second = request(2, IOCB_CMD_PWRITEV, one, 1);
    second.aio_offset = 11;
    struct iocb *list[] = {&first, &second};
    see("write", call(SYS_io_submit, ctx, 2, list));
    show(list, sizeof list);
    events(2);
}

static void read_one(void)
{
    char *a = at_end(NULL, 5), *b = at_end(NULL, 10);
    struct iovec two[] = {{a, 5}, {b, 10}};
    struct iocb first = request(7, IOCB_CMD_PREADV, two, 2), *list[] = {&first};
    see("read", call(SYS_io_submit, ctx, 1, list));
    show(list, sizeof list);
    show(a, 5);
    show(b, 10);
    events(1);
}

static void bad_addresses(void)
{
    struct iocb *none[] = {(struct iocb *)0xffff800000000000u};
    see("no iocb", call(SYS_io_submit, ctx, 1, none));
    struct iocb no_iovec = request(1, IOCB_CMD_PREADV, unmapped(), 1), *one[] = {&no_iovec};
    see("no iovec", call(SYS_io_submit, ctx, 1, one));
    struct iovec nowhere = {unmapped(), 4};
    struct iocb no_data = request(1, IOCB_CMD_PREADV, &nowhere, 1), *last[] = {&no_data};
    see("no data", call(SYS_io_submit, ctx, 1, last));
    events(1);
}

CASE(io_submit)
{
    char text[12];
    see("io_setup", call(SYS_io_setup, 4, &ctx));
    show(&ctx, sizeof ctx);
    fd = (uint32_t)call(SYS_memfd_create, "aio", 0);
    write_two();
    see("pread64", call(SYS_pread64, fd, text, 12, 0));
    show(text, 12);
    read_one();
    bad_addresses();
    see("io_destroy", call(SYS_io_destroy, ctx));
}
