/*
 * chain - the stages that the requests of one route pass through, one behind
 * the other. Worker only.
 *
 * Which stages there are, and in which order, is one table, chain_stages[], in
 * chains.c. When a worker starts, the table is flattened for each route to the
 * stages that are in its way, so a request walks an array. (nginx flattens its
 * phases so; h2o's handlers have such verdicts.)
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
	STAGE_WAIT, /* request_resume() will let it go on, or an answer comes */
	STAGE_DONE, /* this stage answers it, now or later */
};

/* A stage. `state` is memory of the request's, which begin() initialises: a
 * call of memset(3) by size for each stage costs more than they do. */
struct stage {
	const char *name;
	/* Is the stage in the way of that route's requests? route: NULL for
	 * those that no route takes. */
	bool (*is_for)(const struct config_route *route);
	/* With another value than NONE, and no is_for(): it is for the routes
	 * that name this handler. */
	enum config_handler handler;
	size_t state_bytes;
	/* The last stage of a chain answers: it never says NEXT. The request
	 * may be over on return, with an answer or without. */
	enum stage_verdict (*begin)(struct request *r, void *state);
	/* A piece of the request's body, for the stage that took it. May be
	 * NULL, for one that takes none. */
	void (*on_body)(
	    struct request *r, void *state, const struct stream_piece *piece);
	/* The client has read what was written. May be NULL. */
	void (*on_drained)(struct request *r, void *state);
	/* The request is over, by this stage's answer or by another's, or its
	 * client has left: cancels what is pending. Called once for each stage
	 * that has begun, the last one first. May be NULL. */
	void (*end)(struct request *r, void *state);
};

/* All stages, in their order; ends with NULL. */
extern const struct stage *const chain_stages[];

#define CHAIN_STAGES_MAX 12

struct chain {
	unsigned count;
	struct {
		const struct stage *stage;
		size_t offset; /* of its state, in the request's memory */
	} links[CHAIN_STAGES_MAX];
	size_t state_bytes; /* of all of them */
};

struct chain_table;

/* A chain for each route of the configuration, which outlives it, and one for
 * requests without a route. NULL with ENOMEM. */
struct chain_table *chain_table_new(
    const struct config_route *routes, size_t count);
void chain_table_free(struct chain_table *table);
/* route: one of those, or NULL. */
const struct chain *chain_of(
    const struct chain_table *table, const struct config_route *route);
/* The most that a request needs for the states of its stages. */
size_t chain_state_bytes(const struct chain_table *table);

#endif
