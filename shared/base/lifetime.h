/*
 * lifetime - how old a connection may become, in time and in requests, and how
 * long a connection may be idle between two. Pure. Both processes.
 *
 * An age is shortened by up to a tenth, by chance: connections that were opened
 * together do not all end together.
 */
#ifndef LIFETIME_H
#define LIFETIME_H

#include <stdbool.h>
#include <stdint.h>

struct lifetime {
	uint64_t ends_us;
	unsigned requests_left; /* besides those made */
};

/* max_age_us, max_requests: 0 for no limit. random: any number. */
void lifetime_begin(struct lifetime *l, uint64_t max_age_us,
    unsigned max_requests, uint64_t now_us, uint32_t random);

/* Counts a request. False: the connection's last. */
static inline bool
lifetime_use(struct lifetime *l, uint64_t now_us)
{
	return --l->requests_left != 0 && now_us < l->ends_us;
}

/* The rest of the time, for an idle connection: idle_us at most. */
static inline uint64_t
lifetime_idle_us(const struct lifetime *l, uint64_t idle_us, uint64_t now_us)
{
	return now_us + idle_us <= l->ends_us ? idle_us : l->ends_us - now_us;
}

/*
 * Heeds a Keep-Alive field of the other side, which closes after timeout_s
 * seconds without a request, or after `max` requests more; UINT32_MAX: not
 * said. A request must not meet the close, so a second is left to spare, and
 * half of a shorter time. Returns idle_us or less; 0: close now.
 */
uint64_t lifetime_heed(
    struct lifetime *l, uint64_t idle_us, uint32_t timeout_s, uint32_t max);

#endif
