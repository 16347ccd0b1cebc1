/*
 * redis_setup - makes a new connection fit for use: AUTH, SELECT, CLIENT
 * SETNAME, SCRIPT LOAD, SUBSCRIBE. All steps are sent at once. The last answer
 * ends the set-up and calls on_up() of the options. A failed step drops the
 * connection.
 *
 * A NOSCRIPT error of a later command loads the scripts again.
 */
#ifndef REDIS_SETUP_H
#define REDIS_SETUP_H

#include <stddef.h>

#include "redis_link.h"
#include "redis_options.h"

struct redis_setup {
	struct redis_link *link;
	const struct redis_options *options;
	unsigned steps; /* unanswered */
	size_t loads;   /* SCRIPT LOADs among them */
	char *channel;  /* NULL: no subscriber */
	redis_reply_fn *message_fn;
	void *message_arg;
};

/* The setup must be all zero; link and options must outlive the setup. */
void redis_setup_init(struct redis_setup *setup, struct redis_link *link,
    const struct redis_options *options);
void redis_setup_fini(struct redis_setup *setup);

/* Sends every step over a new connection. */
void redis_setup_begin(struct redis_setup *setup);
/* A command was answered by an error: loads the scripts again on NOSCRIPT. */
void redis_setup_on_error(struct redis_setup *setup, const redisReply *reply);
/* As redis_subscribe(). */
int redis_setup_subscribe(struct redis_setup *setup, const char *channel,
    redis_reply_fn *fn, void *arg);

#endif
