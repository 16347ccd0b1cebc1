/*
 * check - what must hold in a program without bugs. Both processes.
 *
 * CHECK() guards memory and the process's own state: a process where it fails
 * aborts, and the supervisor records the death. CONFINED() guards the state of
 * one connection, exchange or upstream: where it fails in the release build,
 * the caller gives up that one object and everybody else is served on. Debug,
 * sanitized and fuzzing builds abort for both, so that no bug goes unnoticed
 * (make's CHECKS).
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

/* Bugs that were confined are added there from now on; NULL: nowhere. */
void check_count_in(_Atomic uint64_t *counter);

/* Logs where, and aborts. */
noreturn void check_failed(const char *file, int line, const char *what);
#define CHECK(cond) ((cond) ? (void)0 : check_failed(__FILE__, __LINE__, #cond))

/* Logs where, and of which object in which state and with which request (fmt);
 * counts, or aborts. */
__attribute__((format(printf, 4, 5), cold)) void check_confined(
    const char *file, int line, const char *what, const char *fmt, ...);
/* Whether cond holds. */
#define CONFINED(cond, ...)                                                    \
	((cond) ||                                                             \
	    (check_confined(__FILE__, __LINE__, #cond, __VA_ARGS__), false))

#endif
