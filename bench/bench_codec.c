/* SPDX-License-Identifier: MIT
 *
 * The group `codec`: what libwire's encoder and decoder cost, against the same bytes written by
 * hand and against other libraries.  Usage: codec BUILD_FOLDER JSON_FILE.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "codec_bulk.h"
#include "codec_sample.h"

enum { BURSTS = 15, COUNT = 1600, ALLOCATING = 1000 };

static struct codec_sample samples[CODEC_SAMPLES];

/* The sides of a round: encoding or decoding. */
enum { COPY, ARRAY, HAND, OURS, SMALL, MSGPACK_C, LIBMPACK, MSGPUCK, SIDES };
static const struct codec *const codecs[SIDES] = {
    NULL,
    &codec_hand_array,
    &codec_hand,
    &codec_ours,
    &codec_ours_small,
    &codec_msgpack_c,
    &codec_libmpack,
    &codec_msgpuck,
};

/* ---- allocations: the linker turns every call of malloc and its kin into these ---- */

static unsigned long allocations;

void *__real_malloc(size_t len);
void *__real_calloc(size_t count, size_t len);
void *__real_realloc(void *old, size_t len);
void *__wrap_malloc(size_t len);
void *__wrap_calloc(size_t count, size_t len);
void *__wrap_realloc(void *old, size_t len);

void *__wrap_malloc(size_t len)
{
    allocations++;
    return __real_malloc(len);
}

void *__wrap_calloc(size_t count, size_t len)
{
    allocations++;
    return __real_calloc(count, len);
}

void *__wrap_realloc(void *old, size_t len)
{
    allocations++;
    return __real_realloc(old, len);
}

/* ---- what a side does ---- */

static volatile size_t kept; /* results are used */

/* So that the compiler sees no copy that nobody reads. */
static void touch(void *p)
{
    __asm__ volatile("" : : "r"(p) : "memory");
}

static double copy_run(void *context, unsigned count)
{
    uint8_t out[CODEC_LEN_MAX];
    (void)context;
    int64_t start = bench_now_ns();
    for (unsigned i = 0; i < count; i++) {
        const struct codec_sample *s = &samples[i % CODEC_SAMPLES];
        memcpy(out, s->array, s->array_len);
        touch(out);
    }
    return (double)(bench_now_ns() - start) / count;
}

static double encode_run(void *context, unsigned count)
{
    const struct codec *codec = *(const struct codec *const *)context;
    uint8_t out[CODEC_LEN_MAX];
    size_t sum = 0;
    int64_t start = bench_now_ns();
    for (unsigned i = 0; i < count; i++)
        sum += codec->encode(&samples[i % CODEC_SAMPLES].message, out, sizeof out).len;
    double ns = (double)(bench_now_ns() - start) / count;
    kept = sum;
    return ns;
}

static double decode_run(void *context, unsigned count)
{
    const struct codec *codec = *(const struct codec *const *)context;
    bool array = codec == &codec_hand_array;
    struct codec_message m;
    size_t sum = 0;
    int64_t start = bench_now_ns();
    for (unsigned i = 0; i < count; i++) {
        const struct codec_sample *s = &samples[i % CODEC_SAMPLES];
        const uint8_t *bytes = array ? s->array : s->map;
        size_t len = array ? s->array_len : s->map_len;
        sum += codec->decode(bytes + WIRE_FRAME_HEADER, len - WIRE_FRAME_HEADER, &m);
    }
    double ns = (double)(bench_now_ns() - start) / count;
    kept = sum;
    return ns;
}

/* ---- rows ---- */

/* "encode" or "decode", measured. */
struct task {
    FILE *json;
    const char *verb;
    struct bench_side sides[SIDES];
};

static void measure(struct task *t, double (*run)(void *, unsigned))
{
    struct bench_side present[SIDES];
    size_t count = 0, of[SIDES];
    for (size_t i = 0; i < SIDES; i++) {
        if (codecs[i] != NULL && codecs[i]->missing != NULL)
            continue;
        of[count] = i;
        void *context = (void *)(uintptr_t)&codecs[i];
        present[count++] = (struct bench_side){.run = i == COPY ? copy_run : run, .context = context, .count = COUNT};
    }
    bench_rounds(present, count, BURSTS);
    for (size_t i = 0; i < count; i++)
        t->sides[of[i]] = present[i];
}

static void row_against(const struct task *t, int ours, int ref, double bar)
{
    char name[128];
    const char *ref_name = ref == COPY ? "memcpy" : codecs[ref]->name;
    snprintf(name, sizeof name, "%s, %s to %s", t->verb, codecs[ours]->name, ref_name);
    struct bench_row row = {"codec", name, "ns", ref_name, bar, false};
    bench_report(t->json, &row, &t->sides[ours], &t->sides[ref]);
}

/* A peer, and how many times as long it takes as libwire. */
static void row_peer(const struct task *t, int peer, double bar)
{
    char name[128];
    const struct codec *codec = codecs[peer];
    if (codec->missing != NULL) {
        printf("  %s: %s is missing: install %s\n", t->verb, codec->name, codec->missing);
        return;
    }
    snprintf(name, sizeof name, "%s, %s to libwire", t->verb, codec->name);
    struct bench_row row = {"codec", name, "ns", "libwire", bar, true};
    bench_report(t->json, &row, &t->sides[peer], &t->sides[OURS]);
}

static void bench_encode(FILE *json)
{
    struct task t = {.json = json, .verb = "encode"};
    measure(&t, encode_run);
    row_against(&t, ARRAY, COPY, 10);
    row_against(&t, OURS, HAND, 1.25);
    row_against(&t, SMALL, HAND, 0);
    row_peer(&t, MSGPACK_C, 4);
    row_peer(&t, LIBMPACK, 4);
    row_peer(&t, MSGPUCK, 0);
}

static void bench_decode(FILE *json)
{
    struct task t = {.json = json, .verb = "decode"};
    measure(&t, decode_run);
    row_against(&t, ARRAY, COPY, 10);
    row_against(&t, OURS, HAND, 1.4);
    row_against(&t, SMALL, HAND, 0);
    row_peer(&t, LIBMPACK, 4);
    row_peer(&t, MSGPACK_C, 6);
    row_peer(&t, MSGPUCK, 1.8);
}

static void bench_allocations(FILE *json)
{
    const struct codec *ours = &codec_ours;
    unsigned long before = allocations;
    encode_run(&ours, ALLOCATING);
    decode_run(&ours, ALLOCATING);
    struct bench_row row = {"codec", "allocations per message, both ways", "", NULL, BENCH_NOTHING, false};
    bench_fact(json, &row, (double)(allocations - before) / ALLOCATING);
}

/* The makefile has written down the size of the objects. */
static void bench_size(FILE *json, const char *build)
{
    char *path = bench_path(build, "bench/wire.size");
    unsigned long len;
    FILE *f = fopen(path, "r");
    if (f == NULL || fscanf(f, "%lu", &len) != 1)
        bench_fail("%s: no size", path);
    fclose(f);
    free(path);
    struct bench_row row = {"codec", "code and tables at -Os, x86-64", "KiB", NULL, 32, false};
    bench_fact(json, &row, (double)len / 1024);
}

/* ---- main ---- */

static void check_contestants(void)
{
    codec_samples(samples);
    for (size_t i = 1; i < SIDES; i++) {
        if (codecs[i]->missing == NULL)
            codec_agree(codecs[i], samples);
    }
    codec_agree_on_damage(&codec_hand, samples);
    codec_agree_on_damage(&codec_ours_small, samples);
}

int main(int argc, char **argv)
{
    int cpu;
    if (argc != 3)
        bench_fail("usage: codec BUILD_FOLDER JSON_FILE");
    FILE *json = fopen(argv[2], "w");
    if (json == NULL)
        bench_fail("%s: cannot be written", argv[2]);
    if (bench_cpus(&cpu, 1) == 1)
        bench_pin(getpid(), cpu);
    check_contestants();
    bench_head("codec: a request of 6 arguments, 4 buffers, 4 pointer specs");
    bench_encode(json);
    bench_decode(json);
    bench_allocations(json);
    codec_bulk(json);
    bench_size(json, argv[1]);
    fclose(json);
    return 0;
}
