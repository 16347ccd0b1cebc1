# The release build: optimised by a profile. The Makefile includes this file
# before the rules that compile.

# generate: at its end the program writes a profile into ../profile. use: the
# compiler reads the profile. `make release` does both.
PROFILE :=

ifneq ($(PROFILE),)
# Both trees share a profile beside them. gcc derives the profile's path and the
# names of static functions from the object's path, unless -dumpdir and
# -dumpbase name a path: here the same path for both trees.
PROFILES := $(dir $(BUILD))profile
PROFILE_CFLAGS = -dumpdir \
	$(PROFILES)/$(patsubst $(BUILD)/obj/%,%,$(@D))/ -dumpbase $(<F)
# Some warnings depend on inlining, and inlining on the profile. `make` without
# a profile still fails on any warning.
WARNINGS := $(filter-out -Werror,$(WARNINGS))
endif
ifeq ($(PROFILE),generate)
PROFILE_CFLAGS += -fprofile-generate -fprofile-update=single
LDFLAGS += -fprofile-generate
endif
ifeq ($(PROFILE),use)
# Untrained functions are optimised as usual, not for size. A file without a
# profile shows a difference between the two trees.
PROFILE_CFLAGS += -fprofile-use -fprofile-partial-training \
	-Werror=missing-profile
TRAINED := $(PROFILES)/trained
endif

# The program to run and to measure: built twice, the second time with the
# profile of the first build in scripts/train.
RELEASE := $(BUILD)/release

release: gcc-alone $(RELEASE)/drover

$(RELEASE)/drover: $(BUILD)/profile/trained
	$(Q)$(MAKE) --no-print-directory BUILD=$(RELEASE) PROFILE=use all

$(BUILD)/profile/trained: $(SOURCES) $(HEADERS) $(SCRIPTS) Makefile \
		scripts/make/profile.mk scripts/train \
		$(BUILD)/bench/backend $(BUILD)/bench/load | gcc-alone
	$(Q)$(MAKE) --no-print-directory BUILD=$(BUILD)/train PROFILE=generate all
	$(call say,TRAIN $(BUILD)/train/drover)
	$(Q)rm -rf $(@D)
	$(Q)scripts/train $(BUILD)/train/drover $(BUILD)/bench $(@D)
	$(Q)touch $@

gcc-alone:
	@LC_ALL=C $(CC) -v 2>&1 | grep -q '^gcc version' || { echo "make release:" \
		"$(CC) is not gcc, and only gcc's profiles are used: CC=gcc" >&2; exit 1; }

.PHONY: release gcc-alone
