/*
 * slot_state - the state of a worker's slot in the scoreboard.
 */
#ifndef SLOT_STATE_H
#define SLOT_STATE_H

enum slot_state {
	SLOT_EMPTY,
	SLOT_STARTING,
	SLOT_READY,
	SLOT_DRAINING,
	SLOT_DEAD, /* written by the master when it reaps */
};

/* "unknown" for any other number: shared memory is not trusted as an index. */
const char *slot_state_str(enum slot_state state);

#endif
