#include "redis_calls.h"

#include "check.h"

static unsigned
index_of(const struct redis_calls *c, unsigned nth)
{
	return (c->oldest + nth) % REDIS_PENDING_MAX;
}

bool
redis_calls_is_full(const struct redis_calls *c)
{
	return c->count == REDIS_PENDING_MAX;
}

void
redis_calls_add(struct redis_calls *c, redis_reply_fn *fn, void *arg)
{
	CHECK(!redis_calls_is_full(c));
	c->calls[index_of(c, c->count)] =
	    (struct redis_call){.fn = fn, .arg = arg};
	c->count++;
	c->unsent++;
}

struct redis_call
redis_calls_take(struct redis_calls *c)
{
	struct redis_call call;

	CHECK(c->count != 0);
	call = c->calls[c->oldest];
	c->oldest = index_of(c, 1);
	c->count--;
	/* A lost connection answers unsent calls too. */
	if (c->unsent > c->count)
		c->unsent = c->count;
	return call;
}

void
redis_calls_sent(struct redis_calls *c, uint64_t now_us)
{
	for (; c->unsent != 0; c->unsent--)
		c->calls[index_of(c, c->count - c->unsent)].sent_us = now_us;
}

bool
redis_calls_oldest_us(const struct redis_calls *c, uint64_t *sent_us)
{
	if (c->count == c->unsent)
		return false;
	*sent_us = c->calls[c->oldest].sent_us;
	return true;
}
