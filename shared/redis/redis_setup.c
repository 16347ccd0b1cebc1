#include "redis_setup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "log.h"

static void
step_done(struct redis_setup *s)
{
	/* Scripts are loaded again while the link is up. */
	if (--s->steps != 0 || s->link->state != REDIS_LINK_SETTING_UP)
		return;
	redis_link_set_up(s->link);
	if (s->options->on_up != NULL)
		s->options->on_up(s->options->arg);
}

static bool
is_error(const redisReply *reply)
{
	return reply->type == REDIS_REPLY_ERROR;
}

static void
on_step(void *arg, const redisReply *reply)
{
	struct redis_setup *s = arg;

	if (reply == NULL)
		return;
	if (is_error(reply))
		redis_link_drop(s->link, "%s", reply->str);
	else
		step_done(s);
}

static void
on_auth(void *arg, const redisReply *reply)
{
	struct redis_setup *s = arg;

	if (reply == NULL)
		return;
	/* Only the error's code: where AUTH was renamed, the text quotes the
	 * command, password and all. */
	if (is_error(reply))
		redis_link_drop(s->link, "AUTH refused: %.*s",
		    (int)strcspn(reply->str, " "), reply->str);
	else
		step_done(s);
}

static void
on_name(void *arg, const redisReply *reply)
{
	/* Some proxies and ACLs refuse; the name only helps people. */
	if (reply != NULL)
		step_done(arg);
}

static void
on_loaded(void *arg, const redisReply *reply)
{
	struct redis_setup *s = arg;
	struct redis_script *script;

	if (reply == NULL)
		return;
	script = s->options->scripts[s->options->script_count - s->loads--];
	if (is_error(reply) || reply->type != REDIS_REPLY_STRING ||
	    reply->len >= sizeof(script->sha)) {
		redis_link_drop(s->link, "script %s: %s", script->name,
		    is_error(reply) ? reply->str : "not loaded");
		return;
	}
	memcpy(script->sha, reply->str, reply->len + 1);
	step_done(s);
}

static void
send_step(struct redis_setup *s, redis_reply_fn *fn, const char *const argv[],
    int argc)
{
	const char *copy[4];

	CHECK(argc <= 4);
	memcpy(copy, argv, (size_t)argc * sizeof(*copy));
	s->steps++;
	if (redis_link_send(s->link, fn, s, argc, copy, NULL) == -1)
		redis_link_drop(s->link, "cannot send: %s", strerror(errno));
}

static void
load(struct redis_setup *s)
{
	s->loads = s->options->script_count;
	for (size_t i = 0; i < s->options->script_count; i++) {
		const char *argv[] = {
		    "SCRIPT", "LOAD", s->options->scripts[i]->body};

		send_step(s, on_loaded, argv, 3);
	}
}

void
redis_setup_on_error(struct redis_setup *s, const redisReply *reply)
{
	if (s->loads != 0 || strncmp(reply->str, "NOSCRIPT", 8) != 0 ||
	    !redis_link_is_up(s->link))
		return;
	/* SCRIPT FLUSH, or a failover. */
	log_info(
	    "redis %s: its scripts are gone, loaded again", s->options->name);
	load(s);
}

/* The confirmation of SUBSCRIBE, then each message. */
static void
on_push(void *arg, const redisReply *push)
{
	struct redis_setup *s = arg;

	if (push->elements != 3)
		return;
	if (strcmp(push->element[0]->str, "subscribe") == 0)
		step_done(s);
	else if (strcmp(push->element[0]->str, "message") == 0)
		s->message_fn(s->message_arg, push->element[2]);
}

static void
subscribe(struct redis_setup *s)
{
	s->steps++;
	if (redis_link_subscribe(s->link, s->channel, on_push, s) == -1)
		redis_link_drop(
		    s->link, "cannot subscribe: %s", strerror(errno));
}

int
redis_setup_subscribe(
    struct redis_setup *s, const char *channel, redis_reply_fn *fn, void *arg)
{
	char *copy = strdup(channel);

	if (copy == NULL)
		return -1;
	CHECK(s->channel == NULL);
	s->channel = copy;
	s->message_fn = fn;
	s->message_arg = arg;
	if (redis_link_is_connected(s->link))
		subscribe(s);
	return 0;
}

void
redis_setup_begin(struct redis_setup *s)
{
	const struct redis_url *url = &s->options->url;
	const char *name[] = {"CLIENT", "SETNAME", s->options->name};

	s->steps = 0;
	if (url->password[0] != '\0' && url->user[0] != '\0') {
		const char *argv[] = {"AUTH", url->user, url->password};

		send_step(s, on_auth, argv, 3);
	} else if (url->password[0] != '\0') {
		const char *argv[] = {"AUTH", url->password};

		send_step(s, on_auth, argv, 2);
	}
	if (url->db != 0) {
		char db[16];
		const char *argv[] = {"SELECT", db};

		(void)snprintf(db, sizeof(db), "%u", url->db);
		send_step(s, on_step, argv, 2);
	}
	send_step(s, on_name, name, 3);
	load(s);
	if (s->channel != NULL)
		subscribe(s);
}

void
redis_setup_init(struct redis_setup *s, struct redis_link *link,
    const struct redis_options *options)
{
	s->link = link;
	s->options = options;
}

void
redis_setup_fini(struct redis_setup *s)
{
	free(s->channel);
}
