# Drover's build. `make` builds build/drover; `make help` lists the rest.
#
#   make CC=clang BUILD=build/clang            another compiler
#   make SAN=address,undefined BUILD=build/san instrumented
#   make release                               build/release/drover, by gcc
#
# scripts/make has the parts: profile.mk (release), bench.mk, fuzz.mk, lint.mk.
#
# Each folder sees itself and what its row of the table below names, nothing
# else: the include paths are the walls.

# The one place of the version: `drover -v`, /metrics and the log have it from
# here.
VERSION := 0.1.0

.DEFAULT_GOAL := all
BUILD ?= build
SAN ?=
# What a failed check of one connection's state does: abort, or confine, which
# closes that one (shared/base/check.h). Only what people run confines.
CHECKS ?= $(if $(PROFILE),confine,abort)

PACKAGES := hiredis libbsd-overlay yaml-0.1 jansson libcares

WARNINGS := -Wall -Wextra -Wpedantic -Werror -Wshadow -Wstrict-prototypes \
	-Wmissing-prototypes -Wold-style-definition -Wpointer-arith \
	-Wcast-qual -Wwrite-strings -Wundef -Wformat=2 -Wvla \
	-Wimplicit-fallthrough
OPTIMIZE ?= $(if $(SAN),-O2,-O3)
# The program is optimised as a whole. The objects can also be linked as they
# are, which is quicker: the unit tests do.
LTO := $(if $(SAN)$(findstring clang,$(CC)),,yes)
CPPFLAGS += -D_GNU_SOURCE -DCHECK_ABORTS=$(if $(filter confine,$(CHECKS)),0,1)
CPPFLAGS += -DDROVER_VERSION='"$(VERSION)"'
CFLAGS += -std=c17 -g $(OPTIMIZE) -fno-omit-frame-pointer -fPIE -fno-plt \
	-fstack-protector-strong
ifneq ($(LTO),)
CFLAGS += -flto=auto -ffat-lto-objects
NO_LTO := -fno-lto
endif
LDFLAGS += -pie -Wl,-z,relro,-z,now
ifneq ($(SAN),)
CFLAGS += -fsanitize=$(SAN) -fno-sanitize-recover=all
LDFLAGS += -fsanitize=$(SAN)
else
CPPFLAGS += -D_FORTIFY_SOURCE=2
endif
LDLIBS = $(PKG_LIBS) $(LLHTTP_LIBS) -lpthread

# llhttp 9 or newer as a library, else Debian 12's sources in strict mode.
LLHTTP_MODULE := $(shell pkg-config --exists 'libllhttp >= 9' && echo yes)
ifeq ($(LLHTTP_MODULE),yes)
LLHTTP_CFLAGS := $(shell pkg-config --cflags libllhttp)
LLHTTP_LIBS := $(shell pkg-config --libs libllhttp)
LLHTTP_OBJS :=
else
LLHTTP_CFLAGS := -DLLHTTP_STRICT_MODE=1 -isystem /usr/share/include/llhttp
LLHTTP_LIBS :=
LLHTTP_OBJS := $(patsubst %,$(BUILD)/obj/llhttp/%.o,api http llhttp)
endif
PKG_CFLAGS := $(patsubst -I%,-isystem %,$(shell pkg-config --cflags $(PACKAGES) 2>/dev/null))
PKG_LIBS := $(shell pkg-config --libs $(PACKAGES) 2>/dev/null)

# Who may include whom, lowest first: a row names folders of rows above it, so no
# circle can be written down, and a folder sees itself. A header that is included
# brings its own includes along, so what it sees is named as well.
SEES_shared/base :=
SEES_shared/event := shared/base
SEES_shared/net := shared/base shared/event
SEES_shared/http := shared/base shared/event shared/net
SEES_shared/redis := shared/base shared/event shared/net
SEES_shared/config := shared/base shared/event shared/net shared/http
SEES_shared/state := shared/base shared/event shared/net shared/config

# All but the Redis client: the master never talks to Redis, and of a worker only
# cluster/ does, over a connection that process/ opens.
SHARED := $(addprefix shared/,base event net http config state)
SEES_master/base := $(SHARED)
SEES_master/admin := $(SHARED) master/base
SEES_master := $(SHARED) master/base master/admin

SEES_worker/base := $(SHARED)
WORKER := $(SHARED) worker/base
SEES_worker/request := $(WORKER)
SEES_worker/cluster := $(WORKER) shared/redis
SEES_worker/upstream := $(WORKER)
SEES_worker/edge := $(WORKER) worker/request
SEES_worker/stages := $(WORKER) $(addprefix worker/,request cluster upstream)
SEES_worker/handlers := $(WORKER) $(addprefix worker/,request cluster)
SEES_worker/proxy := $(WORKER) $(addprefix worker/,request cluster upstream)
SEES_worker/observe := $(WORKER) $(addprefix worker/,request upstream)
SEES_worker/process := $(WORKER) shared/redis $(addprefix worker/,request \
	cluster upstream edge stages handlers proxy observe)

DIRS := $(sort $(patsubst SEES_%,%,$(filter SEES_%,$(.VARIABLES))))
sees = $(addprefix -I,$(1) $(SEES_$(1)))
folder_of = $(patsubst %/,%,$(dir $(1)))

SOURCES := $(foreach d,$(DIRS),$(wildcard $(d)/*.c))
HEADERS := $(foreach d,$(DIRS),$(wildcard $(d)/*.h))
OBJS := $(patsubst %.c,$(BUILD)/obj/%.o,$(SOURCES))
# Each is a string of C in the program: what X.lua holds is X_lua.
SCRIPTS := $(foreach d,$(DIRS),$(wildcard $(d)/*.lua))
SCRIPT_OBJS := $(patsubst %,$(BUILD)/obj/%.o,$(SCRIPTS))
MAIN := $(BUILD)/obj/master/main.o
LIBRARY := $(BUILD)/libdrover.a
# As the folders they test; a header there may serve all of them.
UNIT_DIRS := tests/unit $(addprefix tests/unit/,$(DIRS))
UNIT_SOURCES := $(foreach d,$(UNIT_DIRS),$(wildcard $(d)/test_*.c))
UNIT_TESTS := $(patsubst %.c,$(BUILD)/unit/%,$(notdir $(UNIT_SOURCES)))
vpath test_%.c $(UNIT_DIRS)

include scripts/make/profile.mk
# All that says how an object is compiled.
BUILT_BY := Makefile scripts/make/profile.mk $(TRAINED)

# V=1 shows the commands.
Q := $(if $(V),,@)
say = $(if $(V),@:,@echo '  $(1)')
COMPILE = $(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(PROFILE_CFLAGS) $(PKG_CFLAGS) \
	$(LLHTTP_CFLAGS) -MMD -MP -MF $(@:.o=.d) -c

all: $(BUILD)/drover

# The compiler would only miss some header, which names no package.
packages:
	@pkg-config --print-errors --exists $(PACKAGES) || { echo "make: libraries" \
		"are missing: scripts/setup --build installs them" >&2; exit 1; }

# With LTO the link compiles the whole program anew, and is silent meanwhile.
$(BUILD)/drover: $(MAIN) $(LIBRARY)
	$(call say,LD $@$(if $(LTO),: optimises the whole program; takes some seconds))
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

# An archive, so that a unit test links the one module it is about.
$(LIBRARY): $(filter-out $(MAIN),$(OBJS)) $(SCRIPT_OBJS) $(LLHTTP_OBJS)
	$(call say,AR $@)
	$(Q)rm -f $@
	$(Q)$(AR) rcs $@ $^

define FOLDER
$(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard $(1)/*.c)): \
		$(BUILD)/obj/$(1)/%.o: $(1)/%.c $(BUILT_BY) | packages
	@mkdir -p $$(@D)
	$$(call say,CC $$<)
	$$(COMPILE) $(WARNINGS) $(call sees,$(1)) -o $$@ $$<
endef
$(foreach d,$(DIRS),$(eval $(call FOLDER,$(d))))

$(SCRIPT_OBJS:.o=.c): $(BUILD)/obj/%.c: % Makefile
	@mkdir -p $(@D)
	$(call say,LUA $<)
	$(Q){ echo 'extern const char $(*F:.lua=)_lua[];'; \
		echo 'const char $(*F:.lua=)_lua[] ='; \
		sed -e 's/[\\"?]/\\&/g' -e 's/.*/"&\\n"/' $<; echo ';'; } >$@

# A script may be longer than the strings that C promises: no warnings.
$(SCRIPT_OBJS): %.o: %.c $(BUILT_BY) | packages
	$(COMPILE) -o $@ $<

$(BUILD)/obj/llhttp/%.o: /usr/share/llhttp/%.c $(BUILT_BY) | packages
	@mkdir -p $(@D)
	$(call say,CC $<)
	$(COMPILE) -o $@ $<

$(BUILD)/unit/test_%: test_%.c $(LIBRARY)
	@mkdir -p $(@D)
	$(call say,CC $<)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(NO_LTO) $(PKG_CFLAGS) $(LLHTTP_CFLAGS) \
		$(WARNINGS) -MMD -MP -MF $@.dep $(addprefix -I,$(DIRS) $(UNIT_DIRS)) \
		$(LDFLAGS) -o $@ $< $(LIBRARY) -lcmocka $(LDLIBS)

unit: $(UNIT_TESTS)

check-unit: unit
	@set -e; for t in $(UNIT_TESTS); do echo "== $$t"; $$t; done

include $(addprefix scripts/make/,bench.mk fuzz.mk lint.mk planted.mk)

# DESTDIR is put before every path, for packages. PROGRAM installs another build.
PREFIX ?= /usr/local
DESTDIR ?=
PROGRAM ?= $(RELEASE)/drover
INSTALL ?= install
SBIN = $(DESTDIR)$(PREFIX)/sbin
MAN8 = $(DESTDIR)$(PREFIX)/share/man/man8
EXAMPLES = $(DESTDIR)$(PREFIX)/share/drover/conf

install: $(PROGRAM)
	$(INSTALL) -d $(SBIN) $(MAN8) $(EXAMPLES)/grafana
	$(INSTALL) -m 755 $(PROGRAM) $(SBIN)/drover
	$(INSTALL) -m 644 $(wildcard conf/*.*) $(EXAMPLES)/
	$(INSTALL) -m 644 conf/grafana/* $(EXAMPLES)/grafana/
	sed 's|/usr/local/|$(PREFIX)/|' docs/drover.8 >$(MAN8)/drover.8
	chmod 644 $(MAN8)/drover.8

# Every message counts, style too.
check-man:
	$(Q)mandoc -Tlint docs/drover.8

run:
	scripts/run

test:
	scripts/test

clean:
	rm -rf $(BUILD)

help:
	@echo "make              build/drover"
	@echo "make release      build/release/drover, built with a profile: to be run"
	@echo "make install      program, man page, examples; DESTDIR and PREFIX"
	@echo "make run          install what is missing, build, run the demo"
	@echo "make test         install what is missing, build, run every test"
	@echo "make check-unit   the unit tests alone"
	@echo "make fuzz         libFuzzer's targets; scripts/fuzz runs them"
	@echo "make bench        beside nginx, HAProxy and others; docs/performance.md"
	@echo "make format       clang-format; check-format only looks"
	@echo "make lint         clang-tidy and cppcheck"
	@echo "make check-walls  no folder includes what it may not see"
	@echo "make check-headers, check-man, deps-check, clean"

.PHONY: all packages unit check-unit install check-man run test clean help
.DELETE_ON_ERROR:

-include $(OBJS:.o=.d) $(SCRIPT_OBJS:.o=.d) $(UNIT_TESTS:=.dep)
