/*
 * redis_options - the owner's wishes for one Redis client: where to connect,
 * which scripts to load, whom to notify. Also the limits of every client.
 */
#ifndef REDIS_OPTIONS_H
#define REDIS_OPTIONS_H

#include <stddef.h>

#include <hiredis/hiredis.h>

#include "redis_url.h"

#define REDIS_CONNECT_MS 1000 /* from connect(2) to the end of the set-up */
#define REDIS_REPLY_MS 1000   /* for the oldest unanswered command */
#define REDIS_PENDING_MAX 4096
#define REDIS_SCRIPTS_MAX 8

/* reply: NULL when the connection was lost first; valid during the call only.
 * The function that sends a command never calls its callback. */
typedef void redis_reply_fn(void *arg, const redisReply *reply);

/* A Lua script: loaded on each connect, called by its SHA-1. The caller owns
 * the struct and keeps the struct longer than the client. */
struct redis_script {
	const char *name; /* for log lines */
	const char *body;
	char sha[41]; /* from the reply to SCRIPT LOAD */
};

struct redis_options {
	struct redis_url url;
	const char *name; /* for log lines and CLIENT SETNAME */
	struct redis_script *scripts[REDIS_SCRIPTS_MAX];
	size_t script_count;
	/* Each may be NULL. up: connected, authenticated, scripts loaded. down:
	 * was up before. reason is valid during the call only. */
	void (*on_up)(void *arg);
	void (*on_down)(void *arg, const char *reason);
	/* A connection attempt failed while the client was down already. */
	void (*on_unreachable)(void *arg, const char *reason);
	void *arg;
};

#endif
