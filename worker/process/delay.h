/*
 * delay - the event-loop-delay meter: how long each iteration of the loop made
 * connections wait, and how late the loop woke.
 *
 * Worker. Two kinds of delay, never both for one block. Busy time, from the
 * poll's return to the next poll, goes to slot->delay. Lateness goes to
 * slot->lateness: a poll returned after its timeout was due (SIGSTOP, CPU
 * throttling, a starved machine). While an iteration runs, slot->busy_since_ns
 * holds its start: other processes see a stall before its end.
 *
 * Busy time over the warning is a line "Event loop delay: 3000ms ..." at its
 * end, one for each block. DELAY_WARNINGS counts the lines. Lateness over the
 * warning is a line "woken late by 78ms: ..." and counts in LATE_WAKEUPS. A
 * worker logs at most one line of lateness a second. The next line counts the
 * wake-ups without a line.
 *
 * All times are arguments: the meter reads no clock.
 */
#ifndef DELAY_H
#define DELAY_H

#include <stdint.h>

#include "loop.h"
#include "scoreboard.h"

struct delay_meter {
	struct scoreboard_slot *slot;
	unsigned worker; /* number in log lines, from 1 */
	uint64_t warning_ns;
	uint64_t late_logged_ns; /* the last line of lateness; 0: none yet */
	unsigned late_unlogged;  /* late wake-ups since then */
};

/* slot: the worker's own, which outlives the meter. */
void delay_init(struct delay_meter *m, struct scoreboard_slot *slot,
    unsigned worker, uint64_t warning_us);
/* For loop_observe(); m must live as long as the loop. */
struct loop_observer delay_observer(struct delay_meter *m);

/* The observer's two calls; arg is the meter. */
void delay_woke(
    void *arg, uint64_t entered_ns, uint64_t due_ns, uint64_t now_ns);
void delay_asleep(void *arg, uint64_t woke_ns, uint64_t now_ns);

#endif
