# The release build: compiled for what a profile says that it does. Read before
# the rules that compile.

# generate: the program writes at its end, into ../profile, how often it went
# where. use: it is compiled for that. `make release` does both.
PROFILE :=

ifneq ($(PROFILE),)
# Two trees, one profile beside them. Where gcc looks for an object's, and how it
# names what is static in it, follow from the object's path unless -dumpdir and
# -dumpbase say another: the same one for both.
PROFILES := $(dir $(BUILD))profile
PROFILE_CFLAGS = -dumpdir \
	$(PROFILES)/$(patsubst $(BUILD)/obj/%,%,$(@D))/ -dumpbase $(<F)
# What else the compiler warns of depends on what it inlines, and that on the
# profile. The same code has no warning without one, or `make` fails.
WARNINGS := $(filter-out -Werror,$(WARNINGS))
endif
ifeq ($(PROFILE),generate)
PROFILE_CFLAGS += -fprofile-generate -fprofile-update=single
LDFLAGS += -fprofile-generate
endif
ifeq ($(PROFILE),use)
# What was not trained is compiled as ever, not for size. What has no profile at
# all shows that the two trees differ.
PROFILE_CFLAGS += -fprofile-use -fprofile-partial-training \
	-Werror=missing-profile
TRAINED := $(PROFILES)/trained
endif

# The program that people run, and that is measured: built twice, the second time
# for what the first one did in scripts/train.
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
