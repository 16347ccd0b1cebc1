#include "chain.h"

#include <stdalign.h>
#include <stdlib.h>

#include "check.h"

static bool
is_for(const struct stage *stage, const struct config_route *route)
{
	if (stage->is_for != NULL)
		return stage->is_for(route);
	return route != NULL && route->handler == stage->handler;
}

static size_t
aligned(size_t bytes)
{
	return (bytes + alignof(max_align_t) - 1) &
	       ~(size_t)(alignof(max_align_t) - 1);
}

static void
compile(struct chain *chain, const struct config_route *route)
{
	for (size_t i = 0; chain_stages[i] != NULL; i++) {
		const struct stage *stage = chain_stages[i];

		if (!is_for(stage, route))
			continue;
		CHECK(chain->count < CHAIN_STAGES_MAX);
		chain->links[chain->count].stage = stage;
		chain->links[chain->count++].offset = chain->state_bytes;
		chain->state_bytes += aligned(stage->state_bytes);
	}
	CHECK(chain->count > 0);
}

struct chain_table *
chain_table_new(const struct config_route *routes, size_t count)
{
	struct chain_table *table =
	    calloc(1, sizeof(*table) + (count + 1) * sizeof(struct chain));

	if (table == NULL)
		return NULL;
	table->routes = routes;
	table->count = count;
	for (size_t i = 0; i <= count; i++) {
		struct chain *chain = &table->chains[i];

		compile(chain, i < count ? &routes[i] : NULL);
		if (chain->state_bytes > table->state_bytes)
			table->state_bytes = chain->state_bytes;
	}
	return table;
}

void
chain_table_free(struct chain_table *table)
{
	free(table);
}
