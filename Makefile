# SPDX-License-Identifier: MIT
#
# The only makefile.  `make help` lists what it can do; everything is built under $(B).
#
#   make CC=clang          another compiler
#   make SAN=1 check-fast  with ASan and UBSan, under build/san

VERSION := 0.1.0
WIRE_ABI := 0
PREFIX  ?= /usr/local
DESTDIR ?=
SAN     ?=
B       ?= build$(if $(SAN),/san)

ifeq ($(origin CC),default)
CC      := gcc
endif
AR      ?= ar
CROSS   ?= aarch64-linux-gnu-
OPT     ?= $(if $(SAN),-O1 -fsanitize=address$(comma)undefined -fno-sanitize-recover=all,-O2)
comma   := ,
CFLAGS  ?= -g
WARN    := -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wstrict-prototypes -Werror
STD     := -std=c11 -D_GNU_SOURCE
ALL_CFLAGS = $(STD) $(OPT) $(WARN) -fPIC -fvisibility=hidden -fno-semantic-interposition -MMD -MP $(CFLAGS)

LUA         ?= lua5.4
LUA_CFLAGS  ?= $(shell pkg-config --cflags lua5.4 2>/dev/null || echo -I/usr/include/lua5.4)
LUA_LIBS    ?= $(shell pkg-config --libs lua5.4 2>/dev/null || echo -llua5.4)
LUA_SHARE   ?= $(PREFIX)/share/lua/5.4
LUA_LIB     ?= $(PREFIX)/lib/lua/5.4
LIBS        := -ljansson
MSGPACK     := -lmsgpackc

# one short line a file; V=1 shows the commands
V       ?=
Q       := $(if $(V),,@)
say      = $(if $(V),,@echo '  $(1) $@')

# ---- what there is ----

sources  = $(sort $(wildcard $(1)/*.c))
objects  = $(patsubst %.c,$(B)/obj/%.o,$(call sources,$(1)))

WIRE     := $(call objects,libwire)
VALUE    := $(call objects,libwire/value)
PROVIUM  := $(call objects,libprovium) $(B)/obj/libprovium/agent_blob.o
LUA_CORE := $(filter-out %/main.o,$(call objects,bindings/lua)) $(B)/obj/bindings/lua/names.o
LUA_FILES := $(patsubst bindings/lua/%,$(B)/lua/%,$(wildcard bindings/lua/provium/*.lua))
CONFORM  := $(call objects,conformance) $(B)/obj/conformance/embed.o
HOSTED   := $(patsubst agent/%.c,$(B)/obj/hosted/%.o,$(call sources,agent)) $(B)/obj/hosted/sys.o
FAST_TESTS := $(patsubst %.c,$(B)/%,$(wildcard tests/wire/test_*.c tests/provium/test_*.c tests/agent/test_*.c))
VM_TESTS := $(patsubst %.c,$(B)/%,$(wildcard tests/vm/test_*.c))
SUPPORT  := $(patsubst %.c,$(B)/obj/%.o,$(wildcard tests/support/*.c))
BENCH    := $(patsubst bench/bench_%.c,$(B)/bench/%,$(wildcard bench/bench_*.c))

PROGRAMS := $(B)/provium $(B)/provium-agent $(B)/provium-conformance
LIBRARIES := $(B)/libwire.a $(B)/libwire-value.a $(B)/libprovium.a
WIRE_SO  := $(B)/libwire.so.$(WIRE_ABI)
VALUE_SO := $(B)/libwire-value.so.$(WIRE_ABI)
MODULE   := $(B)/lua/provium/core.so $(LUA_FILES)

.PHONY: all help amalgamation fuzz setup setup-check setup-bench kernel demo check check-fast check-vm check-deep check-build bench spec install uninstall clean
.DELETE_ON_ERROR:

all: $(LIBRARIES) $(WIRE_SO) $(VALUE_SO) $(PROGRAMS) $(MODULE)

help:
	@echo 'make demo         install what is missing, build, run examples/demo.lua on a real kernel'
	@echo 'make check        install what is missing, build, run every test'
	@echo 'make check-fast   the tests without a VM       make check-vm   the tests with one'
	@echo 'make check-deep   sanitizers, another compiler, the conformance suite itself'
	@echo 'make              build everything under $(B)/'
	@echo 'make kernel       fetch the default guest kernel into the cache'
	@echo 'make bench        figures, each beside what it is measured against'
	@echo 'make fuzz T=agent value, reader, message, frame, agent or lua under libFuzzer, FUZZ_SECONDS=$(FUZZ_SECONDS)'
	@echo 'make amalgamation  libwire as wire.h and wire.c, in $(B)/amalgamation'
	@echo 'make coverage     branches of libwire that its tests take; V=1 lists the others'
	@echo 'make spec         print the tables of SPEC.md anew'
	@echo 'make install      to DESTDIR$(DESTDIR) PREFIX=$(PREFIX)        make uninstall, make clean'

# ---- libraries ----

$(B)/obj/libprovium/error.o: ALL_CFLAGS += -DPROVIUM_VERSION_TEXT='"provium $(VERSION)"'
$(B)/obj/bindings/lua/%: ALL_CFLAGS += -Ilibprovium $(LUA_CFLAGS)

# a program that uses a part of it links that part: -Wl,--gc-sections
$(B)/obj/libwire/%: ALL_CFLAGS += -ffunction-sections -fdata-sections

$(B)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(ALL_CFLAGS) -c $< -o $@

$(B)/libwire.a: $(WIRE)
	$(call say,AR)
	$(Q)$(AR) rcsD $@ $^

$(WIRE_SO): $(WIRE) libwire/libwire.map
	$(call say,LD)
	$(Q)$(CC) $(OPT) $(LDFLAGS) -shared -Wl,-soname,$(@F),--version-script,libwire/libwire.map -o $@ $(WIRE)

# libwire as wire.h and wire.c
amalgamation: $(B)/amalgamation/wire.c

$(B)/amalgamation/wire.c: tools/amalgamate.sh $(wildcard libwire/*.[ch]) $(wildcard libwire/*.def) $(B)/libwire.a
	@mkdir -p $(@D)
	$(call say,MERGE)
	$(Q)nm -g --defined-only $(B)/libwire.a | awk '$$3 ~ /^wire_/ { print $$3 }' | tools/amalgamate.sh $(abspath $(@D)) $(VERSION)

# dynamic values: the only part that knows msgpack-c
$(B)/libwire-value.a: $(VALUE)
	$(call say,AR)
	$(Q)$(AR) rcsD $@ $^

$(VALUE_SO): $(VALUE) $(WIRE_SO) libwire/value/libwire-value.map
	$(call say,LD)
	$(Q)$(CC) $(OPT) $(LDFLAGS) -shared -Wl,-soname,$(@F),--version-script,libwire/value/libwire-value.map -o $@ $(VALUE) $(WIRE_SO) $(MSGPACK)

$(B)/libprovium.a: $(PROVIUM)
	$(call say,AR)
	$(Q)$(AR) rcsD $@ $^

$(B)/obj/libprovium/agent_blob.o: libprovium/agent_blob.S $(B)/provium-agent
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) -DAGENT_FILE='"$(B)/provium-agent"' -c $< -o $@

# ---- the agent: static, without a libc; never instrumented ----

AGENT_CFLAGS = $(STD) -O2 -g0 $(WARN) -MMD -MP -ffreestanding -fno-stack-protector -fno-pie -fno-asynchronous-unwind-tables \
  -ffunction-sections -fdata-sections -fno-builtin -DAGENT_VERSION='"$(VERSION)"'
AGENT_LDFLAGS = -static -nostdlib -no-pie -Wl,--gc-sections,--build-id=none,-z,noexecstack,-z,noseparate-code
agent_objects = $(patsubst %,$(B)/agent-$(1)/%.o,$(basename $(call sources,agent) $(call sources,libwire)) agent/sys_$(1) agent/start_$(1))

$(B)/agent-x86_64/%.o: AGENT_CC = $(CC)
$(B)/agent-aarch64/%.o: AGENT_CC = $(CROSS)gcc

define AGENT_RULES
$(B)/agent-$(1)/%.o: %.c
	@mkdir -p $$(@D)
	$$(call say,CC)
	$$(Q)$$(AGENT_CC) $$(AGENT_CFLAGS) -c $$< -o $$@
$(B)/agent-$(1)/%.o: %.S
	@mkdir -p $$(@D)
	$$(call say,CC)
	$$(Q)$$(AGENT_CC) -c $$< -o $$@
endef
$(foreach arch,x86_64 aarch64,$(eval $(call AGENT_RULES,$(arch))))

$(B)/provium-agent: $(call agent_objects,x86_64)
	$(call say,LD)
	$(Q)$(CC) $(AGENT_LDFLAGS) -s -o $@ $^

$(B)/provium-agent-aarch64: $(call agent_objects,aarch64)
	$(call say,LD)
	$(Q)$(CROSS)gcc $(AGENT_LDFLAGS) -s -o $@ $^

# ---- Lua ----

# what is linked in is not shown to others, who may bring a libwire of their own
OWN      := $(comma)--exclude-libs,libwire.a:libwire-value.a:libprovium.a

$(B)/obj/bindings/lua/sources.o: bindings/lua/sources.S bindings/lua/sources.def $(wildcard bindings/lua/provium/*.lua)
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) -Ibindings/lua -Wa,-Ibindings/lua -c $< -o $@

# Names for numbers; those of aarch64 where its headers are, else an empty file.
$(B)/names/x86_64.names: NAMES_CC = $(CC)
$(B)/names/aarch64.names: NAMES_CC = $(CROSS)gcc
$(B)/names/aarch64.names: $(wildcard /usr/aarch64-linux-gnu/include/asm/unistd.h)

$(B)/names/%.names: tools/names.lua
	@mkdir -p $(@D)
	$(call say,GEN)
	$(Q)$(LUA) $< '$(NAMES_CC)' '$(CC)' >$@

$(B)/obj/bindings/lua/names.o: bindings/lua/names.S $(B)/names/x86_64.names $(B)/names/aarch64.names
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) -Wa,-I$(B)/names -c $< -o $@

$(B)/provium: $(B)/obj/bindings/lua/main.o $(LUA_CORE) $(B)/obj/bindings/lua/sources.o $(LIBRARIES)
	$(call say,LD)
	$(Q)$(CC) $(OPT) $(LDFLAGS) -Wl,-E$(OWN) -o $@ $(filter %.o,$^) $(B)/libprovium.a $(B)/libwire-value.a $(B)/libwire.a $(LUA_LIBS) $(MSGPACK) $(LIBS)

$(B)/lua/provium/core.so: $(LUA_CORE) $(LIBRARIES)
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(OPT) $(LDFLAGS) -shared -Wl$(OWN) -o $@ $(filter %.o,$^) $(B)/libprovium.a $(B)/libwire-value.a $(B)/libwire.a $(MSGPACK) $(LIBS)

$(B)/lua/%.lua: bindings/lua/%.lua
	@mkdir -p $(@D)
	$(call say,CP)
	$(Q)cp $< $@

# ---- conformance ----

$(B)/obj/conformance/embed.o: conformance/embed.S $(B)/cases/all.case SPEC.md
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) -Wa,-I$(B)/cases -c $< -o $@

$(B)/cases/all.case: $(sort $(wildcard conformance/cases/*.case))
	@mkdir -p $(@D)
	$(call say,CP)
	$(Q)awk 'FNR == 1 { print "file", FILENAME } { print }' $^ >$@

$(B)/provium-conformance: $(CONFORM)
	$(call say,LD)
	$(Q)$(CC) $(OPT) $(LDFLAGS) -o $@ $^

# ---- tests ----

$(B)/obj/hosted/%.o: agent/%.c
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(ALL_CFLAGS) -DAGENT_HOSTED -DAGENT_VERSION='"$(VERSION)"' -c $< -o $@

$(B)/obj/hosted/sys.o: agent/sys_$(shell uname -m).S
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) -c $< -o $@

$(B)/libhosted.a: $(HOSTED)
	$(call say,AR)
	$(Q)$(AR) rcsD $@ $^

$(B)/tests/%: tests/%.c $(SUPPORT) $(B)/libhosted.a $(LIBRARIES)
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(filter-out -Wpedantic,$(ALL_CFLAGS)) $(LDFLAGS) -o $@ $< $(SUPPORT) $(B)/libhosted.a $(B)/libprovium.a $(B)/libwire-value.a $(B)/libwire.a -lcriterion $(MSGPACK) $(LIBS) -lpthread

# The plain C side of tests/vm/judge.lua: one static program for the guest, never instrumented.
JUDGE    := $(patsubst %.c,$(B)/judge-obj/%.o,$(wildcard tests/vm/judge/*.c))

$(B)/judge-obj/%.o: %.c tests/vm/judge/judge.h
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(STD) -O1 $(WARN) -c $< -o $@

$(B)/judge: $(JUDGE)
	$(call say,LD)
	$(Q)$(CC) -static -s -o $@ $^

# The one that counts what msgpack-c allocates has it inside.
$(B)/tests/wire/test_value: private MSGPACK := -l:libmsgpackc.a -Wl,--wrap=malloc,--wrap=free
$(B)/tests/wire/test_status: private MSGPACK := -l:libmsgpackc.a -Wl,--wrap=malloc

# Each fuzz target twice: replaying its corpus, and under libFuzzer.
REPLAYS  := $(patsubst fuzz/fuzz_%.c,$(B)/fuzz/replay-%,$(wildcard fuzz/fuzz_*.c))
FUZZ_SUPPORT := tests/support/any.c tests/support/rig.c tests/support/hex.c tests/support/generic.c
T       ?= message
FUZZ_SECONDS ?= 60

# The one of Lua has the binding, and what is under it, besides.
FUZZ_LUA := $(filter-out %/main.c,$(call sources,bindings/lua))
$(B)/fuzz/%-lua: private FUZZ_CFLAGS := -Ilibprovium $(LUA_CFLAGS)
$(B)/fuzz/replay-lua: private FUZZ_WITH = $(LUA_CORE) $(B)/libprovium.a $(B)/libwire-value.a
$(B)/fuzz/replay-lua: private FUZZ_LIBS = $(LUA_LIBS)
$(B)/fuzz/fuzz-lua: private FUZZ_WITH = $(FUZZ_LUA) $(call sources,libwire/value) $(B)/obj/bindings/lua/names.o $(B)/libprovium.a
$(B)/fuzz/fuzz-lua: private FUZZ_LIBS = $(LUA_LIBS) $(LIBS)
$(B)/fuzz/replay-lua $(B)/fuzz/fuzz-lua: $(LUA_CORE) $(FUZZ_LUA) $(LIBRARIES)

$(B)/fuzz/replay-%: fuzz/fuzz_%.c fuzz/main.c fuzz/fuzz.h $(FUZZ_SUPPORT) $(B)/libhosted.a $(LIBRARIES)
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(ALL_CFLAGS) $(FUZZ_CFLAGS) $(LDFLAGS) -o $@ $< fuzz/main.c $(FUZZ_SUPPORT) $(B)/libhosted.a $(FUZZ_WITH) $(B)/libwire.a -lmsgpackc $(LIBS) $(FUZZ_LIBS)

$(B)/fuzz/fuzz-%: fuzz/fuzz_%.c fuzz/fuzz.h $(FUZZ_SUPPORT) $(call sources,libwire) $(call sources,agent)
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)clang $(STD) -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -DAGENT_HOSTED -DAGENT_VERSION='"$(VERSION)"' $(FUZZ_CFLAGS) \
	  -o $@ $< $(FUZZ_SUPPORT) $(call sources,libwire) $(call sources,agent) agent/sys_$(shell uname -m).S $(FUZZ_WITH) -lmsgpackc $(FUZZ_LIBS)

fuzz: $(B)/fuzz/fuzz-$(T)
	@mkdir -p $(B)/fuzz/found-$(T)
	$(B)/fuzz/fuzz-$(T) -max_total_time=$(FUZZ_SECONDS) -print_final_stats=1 -artifact_prefix=$(B)/fuzz/ $(B)/fuzz/found-$(T) fuzz/corpus/$(T)

# Which branches of libwire its tests take.  An inline function counts once a file that has it,
# not once a copy: hence the macro by which the size build leaves inlining to the compiler.
COVERED  := $(patsubst %.c,$(B)/%,$(wildcard tests/wire/test_*.c)) $(addprefix $(B)/fuzz/replay-,value reader message frame)

.PHONY: coverage coverage-build
coverage-build: $(COVERED)

coverage:
	@$(MAKE) --no-print-directory -s B=build/cov OPT='-O0 -D__OPTIMIZE_SIZE__' CFLAGS='-g --coverage -fprofile-abs-path' coverage-build
	@B=build/cov tools/coverage.sh $(if $(V),-v)

check-build: all $(FAST_TESTS) $(VM_TESTS) $(B)/judge $(REPLAYS) $(if $(SAN),,$(B)/provium-agent-aarch64)

# ---- the commands of README ----

setup:
	@tools/setup.sh build

setup-check:
	@tools/setup.sh check

setup-bench:
	@tools/setup.sh bench

kernel:
	@tools/get-kernel.sh

# the set-up finds out what is there; then every processor builds
JOBS    := $(shell nproc)

demo: setup
	@$(MAKE) --no-print-directory -s kernel
	@$(MAKE) --no-print-directory -s -j$(JOBS) all
	$(B)/provium run examples/demo.lua

check: setup-check
	@$(MAKE) --no-print-directory -s kernel
	@$(MAKE) --no-print-directory -s -j$(JOBS) check-build
	@B=$(B) tools/check.sh fast vm deep

check-fast: check-build
	@B=$(B) tools/check.sh fast

check-vm: check-build
	@B=$(B) tools/check.sh vm

check-deep: check-build
	@B=$(B) tools/check.sh deep

bench: setup-bench
	@$(MAKE) --no-print-directory -s $(if $(filter codec,$(GROUP)),$(B)/provium $(B)/bench/codec,\
	  kernel all $(BENCH) $(addprefix $(B)/bench/,echo-guest loop-guest empty count.so))
	@B=$(B) CC='$(CC)' bench/run.sh

# what libwire is compared with, as far as its packages are there
CODEC    := $(patsubst %.c,$(B)/obj/%.o,$(wildcard bench/codec_*.c)) $(addprefix $(B)/obj/bench/,bench_codec.o bench.o)
PEERS     = $(shell for l in msgpack mpack; do pkg-config --libs $$l 2>/dev/null; done) $(if $(wildcard /usr/include/msgpuck.h),-lmsgpuck)
WIRE_SMALL := $(patsubst %.c,$(B)/obj/small/%.o,$(call sources,libwire))

$(B)/bench/codec: $(CODEC) $(B)/bench/codec_small.o $(B)/bench/wire.size $(B)/libwire.a
	$(call say,LD)
	$(Q)$(CC) $(OPT) $(LDFLAGS) -no-pie -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc -o $@ $(filter %.o %.a,$^) $(PEERS)

# libwire once more, small and freestanding, under one name of its own
$(B)/obj/small/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(patsubst -O%,-Os,$(AGENT_CFLAGS)) -DCODEC_OURS=codec_ours_small -DCODEC_OURS_NAME='"libwire -Os"' -c $< -o $@

$(B)/bench/codec_small.o: $(B)/obj/small/bench/codec_ours.o $(WIRE_SMALL)
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(LD) -r -o $@ $^
	$(Q)objcopy --keep-global-symbol=codec_ours_small $@

$(B)/bench/wire.size: $(WIRE_SMALL)
	@mkdir -p $(@D)
	$(Q)size $^ | awk 'NR > 1 { sum += $$1 } END { print sum }' >$@

$(filter-out %/codec,$(BENCH)): $(B)/bench/%: $(B)/obj/bench/bench_%.o $(addprefix $(B)/obj/bench/,bench.o sides.o loops.o weight.o instructions.o) $(LIBRARIES)
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(OPT) $(LDFLAGS) -o $@ $(filter %.o,$^) $(B)/libprovium.a $(B)/libwire.a $(LIBS)

$(B)/bench/echo-guest: $(filter %/start_x86_64.o %/lib.o $(B)/agent-x86_64/libwire/%,$(call agent_objects,x86_64)) \
  $(B)/agent-x86_64/bench/echo_guest.o
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(AGENT_LDFLAGS) -s -o $@ $^

$(B)/bench/loop-guest: $(filter %/start_x86_64.o %/lib.o $(B)/agent-x86_64/libwire/%,$(call agent_objects,x86_64)) \
  $(B)/agent-x86_64/bench/loop_guest.o
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(AGENT_LDFLAGS) -s -o $@ $^

$(B)/bench/count.so: $(B)/obj/bench/count_plugin.o
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) -shared -o $@ $^

$(B)/bench/empty: $(B)/agent-x86_64/bench/empty.o
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(AGENT_LDFLAGS) -s -o $@ $^

spec: $(B)/specgen
	$(B)/specgen SPEC.md >$(B)/SPEC.md
	cp $(B)/SPEC.md SPEC.md

$(B)/specgen: $(B)/obj/tools/specgen.o
	$(call say,LD)
	$(Q)$(CC) $(OPT) -o $@ $^

# ---- install ----

AT       = $(DESTDIR)$(PREFIX)
DOC      = $(AT)/share/doc/provium
HEADERS := $(addprefix libwire/,wire.h wire_value.h wire_ops.h wire_codec.h wire_cursor.h wire_plan.h wire_pass.h ops.def errors.def) libprovium/provium.h libprovium/status.def
MAN3    := $(wildcard docs/man/*.3)
MAN7    := $(wildcard docs/man/*.7)
EXAMPLES := $(shell find examples -type f ! -name '*.pyc')
PC      := libwire/libwire.pc libwire/libwire-value.pc libprovium/libprovium.pc
CMAKE   := libwire/libwire-config.cmake libwire/libwire-config-version.cmake
fill     = sed -e 's,@PREFIX@,$(PREFIX),; s,@VERSION@,$(VERSION),; s,@ABI@,$(WIRE_ABI),' $(1).in >$(2)/$(notdir $(1)) && chmod 644 $(2)/$(notdir $(1))

install: all
	install -d $(AT)/bin $(AT)/include/provium $(AT)/lib/pkgconfig $(AT)/lib/cmake/libwire $(DESTDIR)$(LUA_SHARE)/provium $(DESTDIR)$(LUA_LIB)/provium
	install -m 755 $(PROGRAMS) $(AT)/bin
	install -m 755 tools/get-kernel.sh $(AT)/bin/provium-get-kernel
	install -m 644 $(HEADERS) $(AT)/include/provium
	install -m 644 $(LIBRARIES) $(AT)/lib
	install -m 755 $(WIRE_SO) $(VALUE_SO) $(AT)/lib
	ln -sf $(notdir $(WIRE_SO)) $(AT)/lib/libwire.so
	ln -sf $(notdir $(VALUE_SO)) $(AT)/lib/libwire-value.so
	$(foreach f,$(PC),$(call fill,$(f),$(AT)/lib/pkgconfig) &&) :
	$(foreach f,$(CMAKE),$(call fill,$(f),$(AT)/lib/cmake/libwire) &&) :
	install -m 644 $(LUA_FILES) $(DESTDIR)$(LUA_SHARE)/provium
	install -m 755 $(B)/lua/provium/core.so $(DESTDIR)$(LUA_LIB)/provium
	install -d $(AT)/share/man/man3 $(AT)/share/man/man7 $(DOC)/docs $(addprefix $(DOC)/,$(sort $(dir $(EXAMPLES))))
	install -m 644 $(MAN3) $(AT)/share/man/man3
	install -m 644 $(MAN7) $(AT)/share/man/man7
	install -m 644 README.md SPEC.md CHANGELOG.md SECURITY.md LICENSE $(DOC)
	install -m 644 $(wildcard docs/*.md) $(DOC)/docs
	for f in $(EXAMPLES); do install -m 644 $$f $(DOC)/$$f || exit; done

uninstall:
	rm -f $(addprefix $(AT)/bin/,$(notdir $(PROGRAMS)) provium-get-kernel)
	rm -f $(addprefix $(AT)/lib/,$(notdir $(LIBRARIES) $(WIRE_SO) $(VALUE_SO)) libwire.so libwire-value.so $(addprefix pkgconfig/,$(notdir $(PC))))
	rm -f $(addprefix $(AT)/share/man/man3/,$(notdir $(MAN3))) $(addprefix $(AT)/share/man/man7/,$(notdir $(MAN7)))
	rm -rf $(AT)/include/provium $(AT)/lib/cmake/libwire $(DOC) $(DESTDIR)$(LUA_SHARE)/provium $(DESTDIR)$(LUA_LIB)/provium

clean:
	rm -rf $(B)

-include $(shell find $(B)/obj $(B)/agent-* -name '*.d' 2>/dev/null)
