/*
 * check - conditions that hold in a program without bugs. Both processes.
 *
 * CHECK() guards memory and the process's own state: a failure aborts, and the
 * supervisor records the death. CONFINED() guards the state of one connection,
 * exchange or upstream. After a failure in the release build the caller gives
 * up the object, and everything else goes on. Debug, sanitized and fuzzing
 * builds abort in either case, so that no bug goes unnoticed (make's CHECKS).
 *
 *	if (!CONFINED(legal[s->state][state], "connection %d", fd)) {
 *		h1_close_soon(s, STREAM_END_BUG);
 *		return;
 *	}
 */
#ifndef CHECK_H
#define CHECK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdnoreturn.h>

/* The counter of confined bugs from now on; NULL: no counter. */
void check_count_in(_Atomic uint64_t *counter);

/* Logs the place, and aborts. */
noreturn void check_failed(const char *file, int line, const char *what);
#define CHECK(cond) ((cond) ? (void)0 : check_failed(__FILE__, __LINE__, #cond))

/* Logs the place, and the object with its state and request (fmt). Counts the
 * bug, or aborts. */
__attribute__((format(printf, 4, 5), cold)) void check_confined(
    const char *file, int line, const char *what, const char *fmt, ...);
/* True when cond holds. */
#define CONFINED(cond, ...)                                                    \
	((cond) ||                                                             \
	    (check_confined(__FILE__, __LINE__, #cond, __VA_ARGS__), false))

#endif
