/*
 * breaker - the circuit breaker's policy: what a service's state permits, and
 * how an outcome changes the state.
 *
 * Pure. Workers decide by the policy, and the master shows the state;
 * breakers.h does the I/O. A service's whole state is one 64-bit word in the
 * scoreboard, which all processes of a host share by compare-and-swap:
 *
 *   bits  0- 1  state
 *   bit      2  local
 *   bits  3- 8  failures
 *   bits  9-24  epoch
 *   bits 25-63  until_ms
 *
 * CLOSED -> OPEN after `failures` consecutive failures within the window. OPEN
 * -> HALF_OPEN when a request takes the probe after open_for. HALF_OPEN ->
 * CLOSED or OPEN by the probe's outcome. HALF_OPEN -> HALF_OPEN with the next
 * probe when the lease ran out or the probe was given back.
 *
 * Every step has a new epoch, and an outcome counts only in the epoch of its
 * request's admission. Epochs are serial numbers (RFC 1982) of 16 bits; 0:
 * nothing was heard yet.
 */
#ifndef BREAKER_H
#define BREAKER_H

#include <stdbool.h>
#include <stdint.h>

#define BREAKER_EPOCH_BITS 16
#define BREAKER_EPOCH_MASK ((1u << BREAKER_EPOCH_BITS) - 1)
#define BREAKER_FAILURES_MAX 63
/* How long a local step waits for Redis to confirm the step. */
#define BREAKER_CONFIRM_MS 1000

enum breaker_state { BREAKER_CLOSED, BREAKER_OPEN, BREAKER_HALF_OPEN };

struct breaker {
	enum breaker_state state;
	/* Set by a step of this host alone, taken while Redis was away or
	 * before Redis answered. The word of Redis replaces a local step. */
	bool local;
	unsigned failures; /* consecutive, 0 .. BREAKER_FAILURES_MAX */
	uint32_t epoch;
	/* CLOCK_MONOTONIC. OPEN: when a probe is permitted. HALF_OPEN: when the
	 * probe's lease ends. CLOSED with failures: when the window ends.
	 * CLOSED without failures and local: until when Redis may confirm the
	 * step. */
	uint64_t until_ms;
};

struct breaker_policy {
	unsigned failures; /* 0: no breaker */
	uint64_t window_ms;
	uint64_t open_for_ms;
	uint64_t lease_ms;
};

/* The state under which a request was admitted. */
struct breaker_admission {
	uint32_t epoch;
	bool local;
	bool is_probe;
};

enum breaker_decision {
	BREAKER_ADMIT,
	BREAKER_REJECT,
	/* the request that takes the probe goes, others fail */
	BREAKER_PROBE_DUE,
};

struct breaker breaker_unpack(uint64_t word);
uint64_t breaker_pack(const struct breaker *b);

enum breaker_decision breaker_decide(const struct breaker *b, uint64_t now_ms);

/*
 * Steps taken on this host. Each returns whether *b changed; a change of state
 * sets `local`. An outcome of another epoch changes nothing.
 */
bool breaker_fail(struct breaker *b, const struct breaker_policy *policy,
    const struct breaker_admission *a, uint64_t now_ms);
bool breaker_succeed(
    struct breaker *b, const struct breaker_admission *a, uint64_t now_ms);
/* Takes the probe, if a probe is due. */
bool breaker_acquire(
    struct breaker *b, const struct breaker_policy *policy, uint64_t now_ms);
/* The probe ended without an outcome: the next may go at once. */
bool breaker_release(
    struct breaker *b, const struct breaker_admission *a, uint64_t now_ms);
/*
 * Adopts the word of Redis, unless *b is ahead. A local step is ahead of a word
 * that Redis gave before hearing of the step. For BREAKER_CONFIRM_MS a local
 * step gives way only to two words: an answer about the step (decided), or news
 * of an epoch not older.
 */
bool breaker_merge(struct breaker *b, const struct breaker *said,
    const struct breaker_policy *policy, uint64_t now_ms, bool decided);

/* Whether an outcome admitted under a still counts. */
bool breaker_is_current(
    const struct breaker *b, const struct breaker_admission *a);
/* Whether epoch a is younger than b. */
bool breaker_epoch_is_newer(uint32_t a, uint32_t b);

static inline const char *
breaker_state_str(enum breaker_state state)
{
	static const char *const names[] = {
	    [BREAKER_CLOSED] = "closed",
	    [BREAKER_OPEN] = "open",
	    [BREAKER_HALF_OPEN] = "half-open",
	};

	return names[state];
}

#endif
