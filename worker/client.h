/*
 * client - the clients of a worker: their sessions, and for each request the
 * one task that answers it. Worker only.
 *
 * A client routes a request and starts a task (an exchange with a backend, a
 * handler). The task answers through client->session and takes itself off
 * with client_end_task() before its last write; if the client goes first, the
 * task is told by abort() and must not touch the session any more.
 */
#ifndef CLIENT_H
#define CLIENT_H

#include <sys/queue.h>

#include "access_log.h"
#include "runtime.h"
#include "session.h"
#include "trace.h"

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

#define CLIENT_LINE_MAX 1024
#define CLIENT_HOST_MAX 256

/* What an access log says of a request, copied: the originals do not last. */
struct client_text {
	char line[CLIENT_LINE_MAX]; /* "GET /path HTTP/1.1" */
	char host[CLIENT_HOST_MAX];
	char upstream[SOCK_TEXT_MAX];
	char id[TRACE_ID_MAX + 1];
};

/* A request in hand. */
struct client_request {
	/* For the access log. The task adds what it knows; `end`, when it
	 * knows better than the connection why it ended. */
	struct access_record record;
	struct client_text *text; /* NULL: no access log, or no memory */
	unsigned series;          /* of its route, as in config_route */
	bool cut;                 /* its response was: said when it closes */
};

struct client {
	TAILQ_ENTRY(client) entry;
	struct runtime *runtime;
	struct session *session;
	struct task *task;              /* NULL: answered, or not yet begun */
	struct client_request *request; /* NULL: none, it is idle */
	bool closing;                   /* session_is_closing(): all is said */
};

struct clients;

/* NULL with ENOMEM. */
struct clients *clients_new(struct runtime *rt);
/* Closes them all. */
void clients_free(struct clients *clients);
unsigned clients_count(const struct clients *clients);
/* Takes over an accepted descriptor; closes it when there is no room. */
void clients_accept(
    struct clients *clients, int fd, const struct sock_addr *peer);
/* Every response from now on is a connection's last; idle ones close. */
void clients_drain(struct clients *clients);

/* The client that a session belongs to. */
struct client *client_of(struct session *s);
void client_begin_task(struct client *client, struct task *task);
void client_end_task(struct client *client);
/* Copies, for the access log: the request's id, the endpoint that it goes
 * to. */
void client_note_id(struct client *client, const char *id);
void client_note_upstream(struct client *client, const char *address);

#endif
