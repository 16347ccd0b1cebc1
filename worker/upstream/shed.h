/*
 * shed - when the requests in a pool's queue wait too long, which request is
 * next, and which are refused. Pure; worker only.
 *
 * The policy is CoDel (RFC 8289) with adaptive LIFO, as in B. Maurer, "Fail at
 * Scale", ACM Queue 13(8), 2015. The queue delay is the age of the oldest
 * waiting request. A queue delay above target_us for all of interval_us is a
 * standing queue: requests come faster than the service answers, and first
 * come, first served would give every request the whole delay. From then on the
 * newest request is served first, and a request is refused after a quarter of
 * the target. A refusal thus comes at once, and the served requests hardly
 * waited. A single waiting request is no standing queue (RFC 8289 section 4.4:
 * the last packet is not dropped).
 *
 * First come, first served returns when the connections could have carried all
 * requests. The policy weighs, by interval, the refused requests against those
 * that the idle connections, as seen by arriving requests, would have carried.
 * The sum is the debt, at most an interval's requests; at 0, or after an
 * interval without a request, the overload is over. So a burst of free
 * connections does not end the overload, and a queue that is short, and hence
 * loses requests by chance, does not prolong the overload.
 *
 * An episode is the time from the first refusal to the last, for the log. It
 * ends when requests are served in turn, and none was refused for interval_us.
 */
#ifndef SHED_H
#define SHED_H

#include <stdbool.h>
#include <stdint.h>

enum shed_state {
	SHED_IN_TURN, /* first come, first served */
	SHED_NEWEST,  /* overloaded: newest first */
};

/* Why a request is refused: symbol, text for the log. */
#define SHED_REASONS(X)                                                        \
	X(FULL, "pool.queue is full")                                          \
	X(LATE, "no connection within pool.queue_timeout")                     \
	X(OVERLOAD, "all waited longer than pool.queue_target for "            \
		    "pool.queue_interval, now the newest request goes first")  \
	X(TUNNELS, "pool.tunnels are open")                                    \
	X(SHORTAGE, "this host lacks ports, descriptors or memory")

enum shed_reason {
#define X(symbol, text) SHED_##symbol,
	SHED_REASONS(X)
#undef X
};

const char *shed_reason_str(enum shed_reason why);

struct shed_limits {
	uint64_t target_us; /* 0: always in turn */
	uint64_t interval_us;
	uint64_t timeout_us; /* in turn: the longest wait */
};

/* The queue, as the pool has it. */
struct shed_queue {
	unsigned count;
	uint64_t oldest_us; /* since when the oldest request waits */
};

struct shed {
	struct shed_limits limits;
	enum shed_state state;
	/* In turn: since when the queue delay is above the target; 0: it is
	 * not. */
	uint64_t late_since_us;
	/* Newest first. */
	uint64_t interval_end_us;
	uint64_t debt;
	unsigned full; /* connections lent when a request last had to wait */
	/* Of this interval; in turn, arrivals since the delay was good. */
	uint64_t arrivals, refusals;
	uint64_t lent_sum, idle_sum; /* over the arrivals */
	/* The episode; refused 0: none. */
	uint64_t refused, first_us, last_us;
};

void shed_init(struct shed *s, const struct shed_limits *limits);

static inline bool
shed_is_newest_first(const struct shed *s)
{
	return s->state == SHED_NEWEST;
}

/* How long a request may wait now. */
uint64_t shed_limit_us(const struct shed *s);
/* A request came while `lent` connections were lent. Only needed of a request
 * that has to wait, or newest first. */
void shed_on_arrival(struct shed *s, unsigned lent, bool has_to_wait);
/* A request was refused, for any reason. True: the first of an episode. */
bool shed_on_refusal(struct shed *s, uint64_t now_us);
/* The queue has changed, or shed_due_us() has come. */
void shed_look(struct shed *s, const struct shed_queue *queue, uint64_t now_us);
/* When to look next, if nothing happens; UINT64_MAX: never. */
uint64_t shed_due_us(const struct shed *s, const struct shed_queue *queue);
bool shed_episode_is_over(const struct shed *s, uint64_t now_us);
/* Ends the episode. Returns the number of refusals; lasted_us: from the first
 * to the last. */
uint64_t shed_end_episode(struct shed *s, uint64_t *lasted_us);

#endif
