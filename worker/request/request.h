/*
 * request - one request of a client: its route, the stages that the request
 * passes through, counters and record. Worker only.
 *
 * A request begins with a whole head and ends with its response or its
 * connection. In between, the request passes through the chain of its route
 * (chain.h). Each stage lets the request go on, makes the request wait, or
 * answers through request->stream. However the request ends, every stage that
 * has begun gets end(), from inside the write that ends the response. The
 * request and the states of its stages stay in memory until the loop's
 * iteration is over.
 *
 * The connection (client.h) makes the request and passes on the stream's
 * events.
 */
#ifndef REQUEST_H
#define REQUEST_H

#include <stdalign.h>
#include <stddef.h>

#include "chain.h"
#include "record.h"
#include "runtime.h"
#include "slab.h"
#include "stream.h"
#include "trace.h"

struct access_log;
struct breakers_ticket;
struct request;
struct route_table;

/* The observers of requests: defined once, in chains.c. */
struct request_hooks {
	/* fields: as many as `log.fields`, in that order; NULL for bytes that
	 * were no request. */
	void (*log)(struct access_log *log, const struct record *record,
	    const struct record_field *fields);
};
extern const struct request_hooks request_hooks;

/* The state that all requests of a worker share. */
struct requests {
	struct runtime *runtime;
	const struct route_table *routes;
	const struct chain_table *chains;
	struct access_log *log; /* NULL: off */
	struct slab slab;
	struct trace refusal; /* of the last refusal: its id */
};

#define REQUEST_LINE_MAX 1024
#define REQUEST_HOST_MAX 256

/* Copies for the access log: the originals do not last. */
struct request_text {
	char line[REQUEST_LINE_MAX]; /* "GET /path HTTP/1.1" */
	char host[REQUEST_HOST_MAX];
	char upstream[SOCK_TEXT_MAX];
	char reason[STREAM_REASON_MAX];
	size_t field_count;
	struct record_field fields[];
};

struct request {
	struct requests *all;
	struct runtime *runtime;
	struct stream *stream;            /* gone once the request is over */
	const struct config_route *route; /* NULL: no route */
	uint64_t methods;                 /* without a route: allowed methods */
	/* The client: the stream's peer, or origin behind a trusted proxy. */
	const struct sock_host *client;
	struct sock_host origin;
	const struct chain *chain;
	unsigned begun; /* stages of the chain */
	bool over;      /* all stages have been told */
	bool cut;       /* response cut short: logged at close */
	/* Of the service's circuit breaker; NULL: no stage has asked the
	 * breaker. */
	struct breakers_ticket *ticket;
	/* For the access log. The stages add facts. A stage sets `end` when the
	 * stage knows better than the connection why the request ended. */
	struct record record;
	struct request_text *text; /* NULL: no access log, or no memory */
	struct trace trace;        /* the names by which the request is known */
	alignas(max_align_t) char states[]; /* of the stages */
};

/* All arguments outlive the requests. */
void requests_init(struct requests *all, struct runtime *rt,
    const struct route_table *routes, const struct chain_table *chains);
/* When no request is left. */
void requests_fini(struct requests *all);

/* ---- for the connection ---- */

/* The request that has just come on the stream. NULL: no memory. */
struct request *request_new(struct requests *all, struct stream *stream);
/* Names refused bytes that were no request, before their answer. */
void requests_name_refusal(struct requests *all, struct stream *s);
/* Names, counts and routes the request and starts its chain. The request may be
 * over on return. */
void request_start(struct request *r);
void request_on_body(struct request *r, const struct stream_piece *piece);
void request_on_drained(struct request *r);
/* stream->has_left. */
void request_on_left(struct request *r);
/* The stream's response has ended, and so has the request. With complete false
 * the response will never end, and the request goes with the connection. NULL
 * for r stands for refused bytes that were no request, and for a request
 * without memory. */
void request_on_response_end(struct requests *all, const struct stream *s,
    struct request *r, bool complete);
/* The connection closes, and the request in hand is gone. */
void request_on_close(struct request *r, enum stream_end reason);

/* ---- for the stages ---- */

/* The peer is a trusted proxy, whose words about the client count. */
static inline bool
request_is_proxied(const struct request *r)
{
	return r->client == &r->origin;
}

/* After a stage's STAGE_WAIT, never from inside begin(): the request goes on to
 * the next stage. */
void request_resume(struct request *r);
/* Copies the request's endpoint for the access log. */
static inline void
request_note_upstream(struct request *r, const char *address)
{
	r->record.tries++;
	if (r->text == NULL)
		return;
	strlcpy(r->text->upstream, address, sizeof(r->text->upstream));
	r->record.upstream = r->text->upstream;
}

/* Copies, likewise, why a limit or a check refuses the request's message or the
 * response's. */
void request_note_reason(struct request *r, const char *reason);

/* For request_note_response(). */
void request_note_fields(
    struct request *r, const struct head *head, bool is_response);
/* Copies, likewise, what `log.fields` wants of a service's response. */
static inline void
request_note_response(struct request *r, const struct head *head)
{
	if (r->text != NULL && r->text->field_count != 0)
		request_note_fields(r, head, true);
}

/* For a bug's log line: the route, and the request's name, if already made. */
void request_describe(const struct request *r, char *text, size_t cap);

/* The reason for which a request to a service fails. Static texts. */
struct request_failure {
	unsigned status;
	const char *word; /* for the access log */
	const char *text; /* for the client */
};
/* Answers with a failure of record.service, in JSON. retry_after_s: 0 for no
 * Retry-After. */
void request_fail(struct request *r, const struct request_failure *failure,
    unsigned retry_after_s);

#endif
