#include "no_route.h"

#include "check.h"
#include "reply.h"
#include "request.h"
#include "route.h"

static bool
is_for(const struct config_route *route)
{
	return route == NULL;
}

/* RFC 9110 section 15.5.6. */
static void
refuse_method(struct stream *s, uint64_t methods)
{
	char allow[512];
	const struct field fields[] = {{"Allow", allow}, {NULL, NULL}};
	struct text t;

	text_init(&t, allow, sizeof(allow) - 1);
	route_add_methods(&t, methods);
	if (!CONFINED(!text_is_full(&t), "the methods of a 405")) {
		stream_cut(s);
		return;
	}
	allow[t.len] = '\0';
	reply_error_with(s, 405, "method not allowed here", fields);
}

static enum stage_verdict
begin(struct request *r, void *state)
{
	(void)state;
	if (r->methods != 0)
		refuse_method(r->stream, r->methods);
	else
		reply_error(r->stream, 404, "no route for this path");
	return STAGE_DONE;
}

const struct stage no_route_stage = {
    .name = "no_route", .is_for = is_for, .begin = begin};
