#include "slot_state.h"

const char *
slot_state_str(enum slot_state state)
{
	static const char *const names[] = {
	    [SLOT_EMPTY] = "empty",
	    [SLOT_STARTING] = "starting",
	    [SLOT_READY] = "ready",
	    [SLOT_DRAINING] = "draining",
	    [SLOT_DEAD] = "dead",
	};

	return state <= SLOT_DEAD ? names[state] : "unknown";
}
