# The tools of scripts/bench; tests/bench/*.h describe the parts.

BENCH := tests/bench
BENCH_TOOLS := $(patsubst %,$(BUILD)/bench/%,relay_l4 relay_l7 backend load)
BENCH_SOURCES := $(wildcard $(BENCH)/*.c)

bench:
	scripts/bench

bench-tools: $(BENCH_TOOLS)

$(BUILD)/bench/relay_l4: $(patsubst %,$(BENCH)/%.c,relay_l4 carry net)
$(BUILD)/bench/relay_l7: $(patsubst %,$(BENCH)/%.c,relay_l7 carry head net)
$(BUILD)/bench/backend: $(patsubst %,$(BENCH)/%.c,backend carry frame head net)
$(BUILD)/bench/load: $(patsubst %,$(BENCH)/%.c,load carry fleet frame head \
	latency net request)

$(BENCH_TOOLS): $(wildcard $(BENCH)/*.h) Makefile scripts/make/bench.mk
	@mkdir -p $(@D)
	$(call say,CC $@)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(WARNINGS) $(LDFLAGS) -o $@ \
		$(filter %.c,$^)

.PHONY: bench bench-tools
