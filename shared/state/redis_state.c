#include "redis_state.h"

const char *
redis_state_str(enum redis_state state)
{
	static const char *const names[] = {
	    [REDIS_STATE_NONE] = "none",
	    [REDIS_STATE_UP] = "up",
	    [REDIS_STATE_DOWN] = "down",
	};

	return state <= REDIS_STATE_DOWN ? names[state] : "unknown";
}
