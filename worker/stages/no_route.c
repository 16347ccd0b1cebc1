#include "no_route.h"

#include "check.h"
#include "request.h"
#include "route.h"

static bool
is_for(const struct config_route *route)
{
	return route == NULL;
}

/* RFC 9110 section 15.5.6. */
static void
refuse_method(struct session *s, uint64_t methods)
{
	static const char body[] =
	    "{\"error\":\"method not allowed here\",\"status\":405}";
	char allow[512];
	struct text t;

	text_init(&t, allow, sizeof(allow) - 1);
	text_add_str(&t, "Allow: ");
	route_add_methods(&t, methods);
	text_add(&t, "\r\n", 2);
	if (!CONFINED(!text_is_full(&t), "the methods of a 405")) {
		session_cut(s);
		return;
	}
	allow[t.len] = '\0';
	session_reply(
	    s, 405, "application/json", allow, body, sizeof(body) - 1);
}

static enum stage_verdict
begin(struct request *r, void *state)
{
	(void)state;
	if (r->methods != 0)
		refuse_method(r->session, r->methods);
	else
		session_reply_error(r->session, 404, "no route for this path");
	return STAGE_DONE;
}

const struct stage no_route_stage = {
    .name = "no_route", .is_for = is_for, .begin = begin};
