/*
 * request - one request of a client: its route, the stages that it passes
 * through, what is counted and recorded of it. Worker only.
 *
 * A request begins when its head is whole and ends with its response or its
 * connection. In between it passes through the chain of its route (chain.h):
 * each stage lets it go on, makes it wait, or answers it through
 * request->stream. However the request ends, every stage that has begun is
 * told by end(), from inside the write that ends the response; the request and
 * the states of its stages stay in memory until the loop's iteration is over.
 *
 * The connection (client.h) makes the request and passes on the events of its
 * stream.
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

/* Who observes requests: defined once, in chains.c. */
struct request_hooks {
	void (*log)(struct access_log *log, const struct record *record);
};
extern const struct request_hooks request_hooks;

/* What all requests of a worker share. */
struct requests {
	struct runtime *runtime;
	const struct route_table *routes;
	const struct chain_table *chains;
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
};

struct request {
	struct requests *all;
	struct runtime *runtime;
	struct stream *stream;            /* gone once the request is over */
	const struct config_route *route; /* NULL: none takes it */
	uint64_t methods; /* without a route: those that one would take */
	const struct chain *chain;
	unsigned begun; /* stages of the chain */
	bool over;      /* all stages have been told */
	bool cut;       /* its response was: said when it closes */
	/* Of the service's circuit breaker; NULL: no stage has asked it. */
	struct breakers_ticket *ticket;
	/* For the access log. The stages add what they know; `end`, when they
	 * know better than the connection why it ended. */
	struct record record;
	struct request_text *text; /* NULL: no access log, or no memory */
	bool is_traced;
	struct trace trace;                 /* request_trace() */
	alignas(max_align_t) char states[]; /* of the stages */
};

/* All that is given outlives it. */
void requests_init(struct requests *all, struct runtime *rt,
    const struct route_table *routes, const struct chain_table *chains);
/* When no request is left. */
void requests_fini(struct requests *all);

/* ---- for the connection ---- */

/* The request that has just come, on the stream. NULL: no memory. */
struct request *request_new(struct requests *all, struct stream *stream);
/* Counts it, routes it and sends it through its chain, after which it may be
 * over. */
void request_start(struct request *r);
void request_on_body(struct request *r, const struct stream_piece *piece);
void request_on_drained(struct request *r);
/* The stream's response has ended, and the request with it; or, with complete
 * false, it will never end, and the request goes with its connection. r: NULL
 * for what was no request, or had no memory, and was answered all the same. */
void request_on_response_end(struct requests *all, const struct stream *s,
    struct request *r, bool complete);
/* The connection closes while the request is in hand: it is gone. */
void request_on_close(struct request *r, enum session_close reason);

/* ---- for the stages ---- */

/* After a stage's STAGE_WAIT, never from inside its begin(): the request goes
 * on to the next stage. */
void request_resume(struct request *r);
/* The names by which the request is known. Called while its text is valid, at
 * least for the first time. */
const struct trace *request_trace(struct request *r);
/* Copies, for the access log, the endpoint that the request goes to. */
void request_note_upstream(struct request *r, const char *address);

/* For a bug's line in the log: the route, and the name by which the request is
 * known, if it has one by now. */
void request_describe(const struct request *r, char *text, size_t cap);

/* Why a request that was meant for a service fails. Static texts. */
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
