/* SPDX-License-Identifier: MIT
 *
 * Values over a socket, a large one without copying it; the reader finds where each ends,
 * however it comes:  cc stream.c $(pkg-config --cflags --libs libwire) -o stream
 */
#include <provium/wire.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum { BLOB = 100000, LIMIT = 1 << 18 };

/* The array [number, blob]. */
static int send_pair(int fd, uint64_t number, struct wire_bytes blob)
{
    uint8_t buf[64];
    struct wire_slice slices[3];
    struct iovec iov[3];
    struct wire_writer w;
    wire_writer_init(&w, buf, sizeof buf);
    wire_writer_borrow(&w, slices, 3); /* bins from WIRE_BORROW_MIN bytes on stay where they are */
    wire_put_array(&w, 2);
    wire_put_uint(&w, number);
    wire_put_bin(&w, blob);
    if (wire_writer_end(&w) != WIRE_OK)
        return -1;
    uint32_t count = wire_writer_slices(&w);
    for (uint32_t i = 0; i < count; i++)
        iov[i] = (struct iovec){(void *)(uintptr_t)slices[i].ptr, slices[i].len};
    /* a blocking socket takes all of it; one that does not needs a loop here */
    return writev(fd, iov, (int)count) == (ssize_t)wire_writer_total(&w) ? 0 : -1;
}

static void show_pair(const uint8_t *value, size_t len)
{
    struct wire_reader r;
    struct wire_bytes blob;
    wire_reader_init(&r, value, len);
    wire_get_array(&r);
    uint64_t number = wire_get_uint(&r, UINT64_MAX);
    wire_get_bin(&r, &blob);
    printf("%d: %zu bytes, %s\n", (int)number, blob.len, wire_status_text(wire_reader_end(&r)));
}

/* Read values until the end, or the status that says what is wrong with them. */
static enum wire_status receive(int fd)
{
    static uint8_t buf[LIMIT];
    size_t have = 0;
    ssize_t n;
    struct wire_scan scan;
    wire_scan_init(&scan, LIMIT, WIRE_SCAN_UTF8);
    enum wire_status status = WIRE_E_SHORT; /* more is to come */
    while (status == WIRE_E_SHORT && (n = read(fd, buf + have, LIMIT - have)) > 0) {
        have += (size_t)n;
        while ((status = wire_scan(&scan, buf, have)) == WIRE_OK) {
            show_pair(buf, scan.pos);
            have -= scan.pos;
            memmove(buf, buf + scan.pos, have);
            wire_scan_init(&scan, LIMIT, WIRE_SCAN_UTF8);
        }
    }
    return status == WIRE_E_SHORT && have == 0 ? WIRE_OK : status;
}

int main(void)
{
    static const uint8_t blob[BLOB];
    int fds[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) != 0)
        return 1;
    if (fork() == 0)
        return send_pair(fds[1], 1, (struct wire_bytes){blob, 5}) || send_pair(fds[1], 2, (struct wire_bytes){blob, BLOB});
    close(fds[1]);
    return puts(wire_status_text(receive(fds[0]))) < 0;
}
