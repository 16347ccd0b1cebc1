# Checks of the source, without running the program.

# A fixed version: layout and warnings differ by version.
CLANG_FORMAT ?= clang-format-19
CLANG_TIDY ?= clang-tidy-19

FORMATTED = $(SOURCES) $(HEADERS) \
	$(wildcard $(foreach d,$(UNIT_DIRS) \
	$(addprefix tests/,fuzz planted measure) $(BENCH),$(d)/*.c $(d)/*.h))

format:
	$(Q)$(CLANG_FORMAT) -i $(FORMATTED)

check-format:
	$(Q)$(CLANG_FORMAT) --dry-run -Werror $(FORMATTED)

# Every header compiles alone, with the include paths of its folder.
check-headers: $(patsubst %,$(BUILD)/headers/%.ok,$(HEADERS) \
	$(wildcard $(BENCH)/*.h))

$(BUILD)/headers/%.ok: %
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(PKG_CFLAGS) $(LLHTTP_CFLAGS) $(WARNINGS) \
		$(call sees,$(call folder_of,$<)) -fsyntax-only -x c -include $< /dev/null
	@touch $@

TIDY_CHECKS := -*,bugprone-*,clang-analyzer-*,misc-redundant-expression,\
-bugprone-easily-swappable-parameters,-bugprone-assignment-in-if-condition,\
-bugprone-reserved-identifier,-bugprone-multi-level-implicit-pointer-conversion,\
-bugprone-narrowing-conversions,-bugprone-macro-parentheses,\
-clang-analyzer-security.insecureAPI.DeprecatedOrUnsafeBufferHandling
TIDY = $(CLANG_TIDY) --quiet --warnings-as-errors='*' -checks='$(subst $() ,,$(TIDY_CHECKS))'

lint: $(patsubst %,$(BUILD)/tidy/%.ok,$(SOURCES) $(BENCH_SOURCES)) lint-cppcheck

$(BUILD)/tidy/%.ok: % $(HEADERS) $(wildcard $(BENCH)/*.h)
	@mkdir -p $(@D)
	$(call say,TIDY $<)
	$(Q)$(TIDY) $< -- -std=c17 $(CPPFLAGS) $(PKG_CFLAGS) $(LLHTTP_CFLAGS) \
		$(call sees,$(call folder_of,$<)) 2>$@.log || { cat $@.log; exit 1; }
	@touch $@

# The include folder differs between Debian 12 and 13.
BSD = $(shell pkg-config --variable=includedir libbsd-overlay)/bsd

lint-cppcheck:
	$(Q)cppcheck --quiet --std=c11 --error-exitcode=1 --inline-suppr \
		--enable=warning,performance,portability \
		--suppress=missingIncludeSystem --suppress=normalCheckLevelMaxBranches \
		--include=$(BSD)/sys/queue.h $(addprefix -I,$(DIRS)) \
		-D__linux__ -D'noreturn=__attribute__((noreturn))' \
		shared master worker $(BENCH)

# The walls' table, for scripts/check-walls.
walls:
	@$(foreach d,$(DIRS),echo $(d) $(SEES_$(d));)

check-walls:
	scripts/check-walls

# The binaries need the listed libraries only.
deps-check: $(BUILD)/drover $(RELEASE)/drover
	$(Q)set -e; for b in $^; do scripts/check-deps $$b; done

.PHONY: format check-format check-headers check-walls walls lint lint-cppcheck \
	deps-check
