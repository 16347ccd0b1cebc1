/*
 * chain - the stages that the requests of a route pass through, in order.
 * Worker only.
 *
 * The table chain_stages[] in chains.c names all stages and their order. At the
 * start of a worker the table is flattened for each route to the stages in the
 * route's way. A request walks an array. (nginx flattens its phases in the same
 * way; h2o's handlers return similar verdicts.)
 */
#ifndef CHAIN_H
#define CHAIN_H

#include <stdbool.h>
#include <stddef.h>

#include "config.h"

struct request;
struct stream_piece;

enum stage_verdict {
	STAGE_NEXT, /* the request goes on to the next stage */
	STAGE_WAIT, /* until request_resume(), or a response */
	STAGE_DONE, /* this stage answers, now or later */
};

/* A stage. `state` is memory of the request, initialised by begin(). A
 * memset(3) by size for each stage would cost more than the stages. */
struct stage {
	const char *name;
	/* Whether the stage is in the way of the route's requests. route: NULL
	 * for requests without a route. */
	bool (*is_for)(const struct config_route *route);
	/* With another value than NONE, and no is_for(): the stage is for
	 * routes that name this handler. */
	enum config_handler handler;
	size_t state_bytes;
	/* The last stage of a chain answers and never returns NEXT. The request
	 * may be over on return, with a response or without. */
	enum stage_verdict (*begin)(struct request *r, void *state);
	/* A piece of the request's body, for the stage that answers. NULL: the
	 * stage takes no body. */
	void (*on_body)(
	    struct request *r, void *state, const struct stream_piece *piece);
	/* The client has read the written bytes. May be NULL. */
	void (*on_drained)(struct request *r, void *state);
	/* The client has ended its side and asks no more (stream->has_left):
	 * the stage may abandon the stream. May come more than once. May be
	 * NULL. */
	void (*on_left)(struct request *r, void *state);
	/* The request is over: answered by this stage or another, or the client
	 * has left. Cancels pending work. Called once for each stage that has
	 * begun, the last stage first. May be NULL. */
	void (*end)(struct request *r, void *state);
};

/* All stages, in order; ends with NULL. */
extern const struct stage *const chain_stages[];

#define CHAIN_STAGES_MAX 12

struct chain_link {
	const struct stage *stage;
	size_t offset; /* of the state, in request->states */
};

struct chain {
	unsigned count;
	struct chain_link links[CHAIN_STAGES_MAX];
	size_t state_bytes; /* of all stages */
};

struct chain_table {
	const struct config_route *routes;
	size_t count;
	size_t state_bytes;
	struct chain chains[]; /* one per route, then the chain without route */
};

/* A chain for each route of the configuration, and one for requests without a
 * route. The routes outlive the table. NULL with ENOMEM. */
struct chain_table *chain_table_new(
    const struct config_route *routes, size_t count);
void chain_table_free(struct chain_table *table);
/* route: one of the table's routes, or NULL. */
static inline const struct chain *
chain_of(const struct chain_table *table, const struct config_route *route)
{
	return &table->chains[route != NULL ? (size_t)(route - table->routes)
					    : table->count];
}

/* The largest size of a request's stage states. */
static inline size_t
chain_state_bytes(const struct chain_table *table)
{
	return table->state_bytes;
}

#endif
