# libFuzzer's targets, with an instrumented library: $(BUILD)/fuzz/fuzz_*.

FUZZERS := $(patsubst tests/fuzz/%.c,$(BUILD)/%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_CC ?= clang
FUZZ_SAN := fuzzer-no-link,address,undefined
fuzz:
	$(Q)$(MAKE) --no-print-directory CC=$(FUZZ_CC) SAN=$(FUZZ_SAN) \
		BUILD=$(BUILD)/fuzz fuzzers

fuzzers: $(FUZZERS)

$(BUILD)/fuzz_%: tests/fuzz/fuzz_%.c $(LIBRARY)
	@mkdir -p $(@D)
	$(call say,CC $<)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(PKG_CFLAGS) $(LLHTTP_CFLAGS) $(WARNINGS) \
		-MMD -MP $(addprefix -I,$(DIRS)) $(LDFLAGS) -fsanitize=fuzzer \
		-o $@ $< $(LIBRARY) $(LDLIBS)

.PHONY: fuzz fuzzers

-include $(FUZZERS:=.d)
