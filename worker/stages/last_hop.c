#include "last_hop.h"

#include "h1_head.h"
#include "reply.h"
#include "request.h"

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
add_request(struct fields *out, const struct head *head)
{
	h1_head_request(out, head_method_str(head), head->target, head->minor);
	for (size_t i = 0; i < head->field_count; i++) {
		const struct head_field *h = &head->fields[i];

		if (!is_secret(h))
			fields_add_line(out, h->name, h->value);
	}
	h1_head_end(out);
}

static void
echo(struct request *request)
{
	struct stream *s = request->stream;
	struct buffer_pool *buffers = request->runtime->buffers;
	struct buffer *b = buffer_get(buffers);
	struct fields out;

	if (b == NULL) {
		reply_error(s, 503, "out of memory");
		return;
	}
	fields_init(&out, b->data, BUFFER_BYTES);
	add_request(&out, s->head);
	if (fields_are_full(&out))
		reply_error(s, 431, "request head too large");
	else
		reply_send(s, &(struct reply){.status = 200,
				  .type = "message/http",
				  .body = out.lines.data,
				  .len = out.lines.len});
	buffer_put(buffers, b);
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
