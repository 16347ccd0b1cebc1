/*
 * redis_state - the state of a worker's connection to Redis in the scoreboard.
 */
#ifndef REDIS_STATE_H
#define REDIS_STATE_H

/* NONE: not configured. */
enum redis_state { REDIS_STATE_NONE, REDIS_STATE_UP, REDIS_STATE_DOWN };

/* "unknown" for any other number: shared memory is not trusted as an index. */
const char *redis_state_str(enum redis_state state);

#endif
