/*
 * machine - the table of a state machine: a row per state, with its name and
 * the legal steps.
 *
 * The owner has the enum, the field and the one setter. Only the setter, and
 * the code that makes the object, assign the field.
 */
#ifndef MACHINE_H
#define MACHINE_H

#include <stdbool.h>
#include <stdint.h>

#include "check.h"
#include "log.h"

struct machine_state {
	const char *name;
	uint32_t next; /* MACHINE_TO() of every legal next state */
};

#define MACHINE_TO(state) (UINT32_C(1) << (state))

/* Is the step legal? */
static inline bool
machine_allows(const struct machine_state *states, unsigned from, unsigned to)
{
	return (states[from].next & MACHINE_TO(to)) != 0;
}

/* Logs a step at debug level; fmt names the object. */
void machine_log(const struct machine_state *from,
    const struct machine_state *to, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * The body of a setter that has found the step legal: logs at debug level,
 * assigns. field: of the object, a bit field or not. The rest is a format with
 * its arguments, to name the object.
 */
#define MACHINE_STEP(states, field, to, ...)                                   \
	do {                                                                   \
		if (log_is_debug())                                            \
			machine_log(                                           \
			    &(states)[field], &(states)[to], __VA_ARGS__);     \
		(field) = (to);                                                \
	} while (0)

/* The same where an illegal step puts the whole process in doubt. */
#define MACHINE_ENTER(states, field, to, ...)                                  \
	do {                                                                   \
		CHECK(machine_allows(states, field, to));                      \
		MACHINE_STEP(states, field, to, __VA_ARGS__);                  \
	} while (0)

#endif
