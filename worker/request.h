/*
 * request - one request of a client: how it is routed, what answers it, what is
 * counted and recorded of it. Worker only.
 *
 * A request begins when its head is whole and ends with its response or its
 * connection. What answers it is one task (an exchange with a backend, a
 * handler), which answers through request->session and takes itself off with
 * request_end_task() before its last write: with that write the request is
 * gone. If the client goes first, the task is told by abort() and must not
 * touch the session any more.
 *
 * The connection (client.h) makes the request and passes on its session's
 * events. Which tasks there are is said in chains.c.
 */
#ifndef REQUEST_H
#define REQUEST_H

#include "record.h"
#include "runtime.h"
#include "session.h"
#include "slab.h"
#include "trace.h"

struct access_log;
struct request;
struct route_table;
struct task;

struct task_ops {
	/* A piece of the request's body, for a task that took it. */
	void (*on_body)(
	    struct task *task, const char *data, size_t len, bool last);
	/* The client has read what was written. May be NULL. */
	void (*on_drained)(struct task *task);
	/* The request is over: let go of everything, answer nothing. */
	void (*abort)(struct task *task);
};

/* What answers a request; embedded in an exchange and the like. */
struct task {
	const struct task_ops *ops;
};

/* What requests lead to: defined once, in chains.c, which alone knows all that
 * answers and all that observes. */
struct request_hooks {
	/* Answers a request of that route, now or later. */
	void (*start)(
	    struct request *request, const struct config_route *route);
	/* Does a request that no route takes end here all the same? */
	bool (*is_last_hop)(const struct message *message);
	/* Answers what is to go no further. */
	void (*last_hop)(struct request *request);
	void (*log)(struct access_log *log, const struct record *record);
};
extern const struct request_hooks request_hooks;

/* What all requests of a worker share. */
struct requests {
	struct runtime *runtime;
	const struct route_table *routes;
	struct access_log *log; /* NULL: off */
	struct slab slab;
};

#define REQUEST_LINE_MAX 1024
#define REQUEST_HOST_MAX 256

/* What an access log says of a request, copied: the originals do not last. */
struct request_text {
	char line[REQUEST_LINE_MAX]; /* "GET /path HTTP/1.1" */
	char host[REQUEST_HOST_MAX];
	char upstream[SOCK_TEXT_MAX];
	char id[TRACE_ID_MAX + 1];
};

struct request {
	struct requests *all;
	struct runtime *runtime;
	struct session *session;
	struct task *task; /* NULL: answered, or not yet begun */
	/* For the access log. The task adds what it knows; `end`, when it
	 * knows better than the connection why it ended. */
	struct record record;
	struct request_text *text; /* NULL: no access log, or no memory */
	unsigned series;           /* of its route, as in config_route */
	bool cut;                  /* its response was: said when it closes */
};

/* rt outlives it; so do the routes. */
void requests_init(
    struct requests *all, struct runtime *rt, const struct route_table *routes);
/* When no request is left. */
void requests_fini(struct requests *all);

/* ---- for the connection ---- */

/* The request that the session has just read. NULL: no memory. */
struct request *request_new(struct requests *all, struct session *s);
/* Counts it, routes it and has it answered, which may be over on return, and
 * the request with it. */
void request_start(struct request *r);
void request_on_body(
    struct request *r, const char *data, size_t len, bool last);
void request_on_drained(struct request *r);
/* The session's response has ended, and the request with it; or, with complete
 * false, it will never end, and the request goes with its connection. r: NULL
 * for what was no request, or had no memory, and was answered all the same. */
void request_on_response_end(
    struct requests *all, struct session *s, struct request *r, bool complete);
/* The connection closes while the request is in hand: it is gone. */
void request_on_close(struct request *r, enum session_close reason);

/* ---- for what answers ---- */

void request_begin_task(struct request *r, struct task *task);
void request_end_task(struct request *r);
/* Copies, for the access log: the request's id, the endpoint that it goes
 * to. */
void request_note_id(struct request *r, const char *id);
void request_note_upstream(struct request *r, const char *address);

#endif
