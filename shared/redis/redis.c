#include "redis_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "log.h"

#define ARGS_MAX 256

/* Somebody emptied the script cache: SCRIPT FLUSH, or a failover. */
static void
reload_if_lost(struct redis *r, const redisReply *reply)
{
	if (reply->type != REDIS_REPLY_ERROR || r->is_reloading ||
	    strncmp(reply->str, "NOSCRIPT", 8) != 0 || !redis_is_up(r))
		return;
	log_info(
	    "redis %s: its scripts are gone, loaded again", r->options.name);
	r->is_reloading = true;
	redis_setup_load(r);
}

static void
on_reply(redisAsyncContext *context, void *reply, void *arg)
{
	struct redis *r = arg;
	struct redis_call call;

	(void)context;
	CHECK(r->count != 0);
	call = r->calls[r->head];
	r->head = (r->head + 1) % REDIS_PENDING_MAX;
	r->count--;
	if (r->fresh > r->count)
		r->fresh = r->count;
	if (reply != NULL) {
		redis_link_set_deadline(r);
		reload_if_lost(r, reply);
	}
	if (call.fn != NULL)
		call.fn(call.arg, reply);
}

int
redis_send(struct redis *r, redis_reply_fn *fn, void *arg, int argc,
    const char **argv, const size_t *lens)
{
	unsigned i = (r->head + r->count) % REDIS_PENDING_MAX;

	if (r->count == REDIS_PENDING_MAX) {
		errno = ENOBUFS;
		return -1;
	}
	if (redisAsyncCommandArgv(r->context, on_reply, r, argc, argv, lens) !=
	    REDIS_OK) {
		errno = ENOMEM;
		return -1;
	}
	r->calls[i] = (struct redis_call){.fn = fn, .arg = arg};
	r->count++;
	r->fresh++;
	return 0;
}

bool
redis_is_up(const struct redis *r)
{
	return r->state == LINK_UP && redis_link_is_sound(r);
}

int
redis_command(struct redis *r, redis_reply_fn *fn, void *arg, int argc,
    const char **argv, const size_t *lens)
{
	if (!redis_is_up(r) || r->channel != NULL) {
		errno = ENOTCONN;
		return -1;
	}
	return redis_send(r, fn, arg, argc, argv, lens);
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

struct redis *
redis_new(struct loop *loop, struct resolver *resolver,
    const struct redis_options *options)
{
	struct redis *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return NULL;
	r->loop = loop;
	r->resolver = resolver;
	r->options = *options;
	redis_link_init(r);
	return r;
}

static void
redis_bury(void *p)
{
	struct redis *r = p;

	free(r->channel);
	free(r);
}

void
redis_free(struct redis *r)
{
	if (r == NULL)
		return;
	redis_link_close(r);
	loop_bury(r->loop, r, redis_bury);
}
