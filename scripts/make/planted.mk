# The program with bugs on purpose (tests/planted), with the release build's
# checks. Sanitizers watch the program after a bug.

WRAPPED := h1_begin h1_write exchange_leave_endpoint pool_release

planted:
	$(Q)$(MAKE) --no-print-directory BUILD=$(BUILD)/planted CHECKS=confine \
		SAN=address,undefined planted-program

planted-program: $(BUILD)/drover-planted

$(BUILD)/drover-planted: tests/planted/planted.c $(MAIN) $(LIBRARY)
	$(call say,LD $@)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(PKG_CFLAGS) $(LLHTTP_CFLAGS) $(WARNINGS) \
		$(addprefix -I,$(DIRS)) $(LDFLAGS) $(WRAPPED:%=-Wl,--wrap=%) \
		-o $@ $^ $(LDLIBS)

.PHONY: planted planted-program
