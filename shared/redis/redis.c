#include "redis.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "redis_link.h"
#include "redis_setup.h"

#define ARGS_MAX 256

struct redis {
	struct loop *loop;
	struct redis_options options;
	struct redis_link link;
	struct redis_setup setup;
};

bool
redis_is_up(const struct redis *r)
{
	return redis_link_is_up(&r->link);
}

void
redis_flush(struct redis *r)
{
	if (r != NULL)
		redis_link_flush(&r->link);
}

int
redis_command(struct redis *r, redis_reply_fn *fn, void *arg, int argc,
    const char **argv, const size_t *lens)
{
	if (!redis_is_up(r) || r->setup.channel != NULL) {
		errno = ENOTCONN;
		return -1;
	}
	return redis_link_send(&r->link, fn, arg, argc, argv, lens);
}

int
redis_eval(struct redis *r, const struct redis_script *script,
    redis_reply_fn *fn, void *arg, int keys, int argc, const char **argv)
{
	const char *all[ARGS_MAX];
	char count[16];

	if (argc > ARGS_MAX - 3) {
		errno = E2BIG;
		return -1;
	}
	(void)snprintf(count, sizeof(count), "%d", keys);
	all[0] = "EVALSHA";
	all[1] = script->sha;
	all[2] = count;
	for (int i = 0; i < argc; i++)
		all[3 + i] = argv[i];
	return redis_command(r, fn, arg, 3 + argc, all, NULL);
}

int
redis_subscribe(
    struct redis *r, const char *channel, redis_reply_fn *fn, void *arg)
{
	return redis_setup_subscribe(&r->setup, channel, fn, arg);
}

static void
on_connected(void *arg)
{
	struct redis *r = arg;

	redis_setup_begin(&r->setup);
}

static void
on_error(void *arg, const redisReply *reply)
{
	struct redis *r = arg;

	redis_setup_on_error(&r->setup, reply);
}

struct redis *
redis_new(struct loop *loop, struct resolver *resolver,
    const struct redis_options *options)
{
	struct redis *r = calloc(1, sizeof(*r));
	struct redis_link_parts parts = {
	    .loop = loop,
	    .resolver = resolver,
	    .on_connected = on_connected,
	    .on_error = on_error,
	    .arg = r,
	};

	if (r == NULL)
		return NULL;
	r->loop = loop;
	r->options = *options;
	parts.options = &r->options;
	redis_link_init(&r->link, &parts);
	redis_setup_init(&r->setup, &r->link, &r->options);
	return r;
}

static void
redis_bury(void *p)
{
	struct redis *r = p;

	redis_setup_fini(&r->setup);
	free(r);
}

void
redis_free(struct redis *r)
{
	if (r == NULL)
		return;
	redis_link_close(&r->link);
	loop_bury(r->loop, r, redis_bury);
}
