#include "redis_private.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "check.h"

static void
step_done(struct redis *r)
{
	if (--r->steps != 0 || r->state != LINK_SETTING_UP)
		return;
	loop_timer_clear(r->loop, &r->setup);
	r->backoff_us = 0;
	redis_link_enter(r, LINK_UP);
	if (r->options.on_up != NULL)
		r->options.on_up(r->options.arg);
}

static bool
is_error(const redisReply *reply)
{
	return reply->type == REDIS_REPLY_ERROR;
}

static void
on_step(void *arg, const redisReply *reply)
{
	struct redis *r = arg;

	if (reply == NULL)
		return;
	if (is_error(reply))
		redis_link_drop(r, "%s", reply->str);
	else
		step_done(r);
}

static void
on_auth(void *arg, const redisReply *reply)
{
	struct redis *r = arg;

	if (reply == NULL)
		return;
	/* Only the error's code: where AUTH was renamed, its text quotes the
	 * command, password and all. */
	if (is_error(reply))
		redis_link_drop(r, "AUTH refused: %.*s",
		    (int)strcspn(reply->str, " "), reply->str);
	else
		step_done(r);
}

static void
on_name(void *arg, const redisReply *reply)
{
	/* Some proxies and ACLs refuse; it is only a name. */
	if (reply != NULL)
		step_done(arg);
}

static void
on_loaded(void *arg, const redisReply *reply)
{
	struct redis *r = arg;
	struct redis_script *script;

	if (reply == NULL)
		return;
	script = r->options.scripts[r->loaded++ % r->options.script_count];
	if (r->loaded == r->options.script_count)
		r->is_reloading = false;
	if (is_error(reply) || reply->type != REDIS_REPLY_STRING ||
	    reply->len >= sizeof(script->sha)) {
		redis_link_drop(r, "script %s: %s", script->name,
		    is_error(reply) ? reply->str : "not loaded");
		return;
	}
	memcpy(script->sha, reply->str, reply->len + 1);
	step_done(r);
}

static void
send_step(
    struct redis *r, redis_reply_fn *fn, const char *const argv[], int argc)
{
	const char *copy[4];

	CHECK(argc <= 4);
	memcpy(copy, argv, (size_t)argc * sizeof(*copy));
	r->steps++;
	if (redis_send(r, fn, r, argc, copy, NULL) == -1)
		redis_link_drop(r, "cannot send: %s", strerror(errno));
}

void
redis_setup_load(struct redis *r)
{
	r->loaded = 0;
	for (size_t i = 0; i < r->options.script_count; i++) {
		const char *argv[] = {
		    "SCRIPT", "LOAD", r->options.scripts[i]->body};

		send_step(r, on_loaded, argv, 3);
	}
}

/* Called by hiredis with each message, with the confirmation of SUBSCRIBE,
 * and with NULL at the end. */
static void
on_message(redisAsyncContext *context, void *data, void *arg)
{
	struct redis *r = arg;
	const redisReply *reply = data;

	(void)context;
	if (reply == NULL || reply->type != REDIS_REPLY_ARRAY ||
	    reply->elements != 3)
		return;
	if (strcmp(reply->element[0]->str, "subscribe") == 0)
		step_done(r);
	else if (strcmp(reply->element[0]->str, "message") == 0)
		r->message_fn(r->message_arg, reply->element[2]);
}

static void
subscribe(struct redis *r)
{
	const char *argv[] = {"SUBSCRIBE", r->channel};

	r->steps++;
	if (redisAsyncCommandArgv(r->context, on_message, r, 2, argv, NULL) !=
	    REDIS_OK)
		redis_link_drop(r, "cannot subscribe");
}

int
redis_subscribe(
    struct redis *r, const char *channel, redis_reply_fn *fn, void *arg)
{
	char *copy = strdup(channel);

	if (copy == NULL)
		return -1;
	CHECK(r->channel == NULL);
	r->channel = copy;
	r->message_fn = fn;
	r->message_arg = arg;
	if (redis_link_is_sound(r) && r->state >= LINK_SETTING_UP)
		subscribe(r);
	return 0;
}

void
redis_setup_begin(struct redis *r)
{
	const struct redis_url *url = &r->options.url;
	const char *name[] = {"CLIENT", "SETNAME", r->options.name};

	if (url->password[0] != '\0' && url->user[0] != '\0') {
		const char *argv[] = {"AUTH", url->user, url->password};

		send_step(r, on_auth, argv, 3);
	} else if (url->password[0] != '\0') {
		const char *argv[] = {"AUTH", url->password};

		send_step(r, on_auth, argv, 2);
	}
	if (url->db != 0) {
		char db[16];
		const char *argv[] = {"SELECT", db};

		(void)snprintf(db, sizeof(db), "%u", url->db);
		send_step(r, on_step, argv, 2);
	}
	send_step(r, on_name, name, 3);
	redis_setup_load(r);
	if (r->channel != NULL && redis_link_is_sound(r))
		subscribe(r);
}
