#include "last_hop.h"

#include "reply.h"
#include "request.h"

/* Gateways in a row, say a balancer, an edge and a gateway, are fewer. */
#define OWN_HOPS_MAX 8

/* `OPTIONS *`: asks about the server, not about a path. */
static bool
is_about_server(const struct head *head)
{
	return head->method == HTTP_OPTIONS && slice_is(head->path, "*");
}

/* RFC 9110 section 9.3.8: nor fields that may hold secrets. */
static bool
is_secret(const struct head_field *h)
{
	return h->id == FIELD_COOKIE || slice_is(h->name, "authorization") ||
	       slice_is(h->name, "proxy-authorization");
}

static void
echo(struct request *request)
{
	struct stream *s = request->stream;
	struct buffer_pool *buffers = request->runtime->buffers;
	struct buffer *b = buffer_get(buffers);

	if (b == NULL) {
		reply_error(s, 503, "out of memory");
		return;
	}
	if (!reply_echo(s, b->data, BUFFER_BYTES, is_secret))
		reply_error(s, 431, "request head too large");
	buffer_put(buffers, b);
}

/* A service leads back here, maybe over others. */
static bool
goes_round(const struct request *r)
{
	return r->stream->head->has_via && r->route != NULL &&
	       r->route->service >= 0 &&
	       head_own_hops(r->stream->head) >= OWN_HOPS_MAX;
}

static void
break_loop(struct request *r)
{
	static const struct request_failure loop = {
	    508, "loop", "leads back to this gateway"};

	r->record.service = r->route->service_name;
	request_fail(r, &loop, 0);
}

static bool
is_for(const struct config_route *route)
{
	(void)route;
	return true;
}

static enum stage_verdict
begin(struct request *r, void *state)
{
	static const struct field allow[] = {
	    {"Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, TRACE"},
	    {NULL, NULL}};
	const struct head *head = r->stream->head;

	(void)state;
	if (goes_round(r)) {
		break_loop(r);
		return STAGE_DONE;
	}
	if (head->max_forwards != 0 &&
	    (r->route != NULL || r->methods != 0 || !is_about_server(head)))
		return STAGE_NEXT;
	if (head->method == HTTP_TRACE)
		echo(r);
	else
		reply_send(
		    r->stream, &(struct reply){.status = 200, .fields = allow});
	return STAGE_DONE;
}

const struct stage last_hop_stage = {
    .name = "last_hop", .is_for = is_for, .begin = begin};
