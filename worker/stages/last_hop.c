#include "last_hop.h"

#include "request.h"

/* `OPTIONS *`: asks about the server, not about a path. */
static bool
is_about_server(const struct head *head)
{
	return head->method == HTTP_OPTIONS && slice_is(head->path, "*");
}

/* RFC 9110 section 9.3.8: nor what might be someone's secret. */
static bool
is_secret(const struct head_field *h)
{
	return h->id == FIELD_COOKIE || slice_is(h->name, "authorization") ||
	       slice_is(h->name, "proxy-authorization");
}

static void
add_request(struct text *out, const struct head *head)
{
	text_addf(out, "%s %.*s HTTP/1.%u\r\n", head_method_str(head),
	    (int)head->target.len, head->target.at, head->minor & 1U);
	for (size_t i = 0; i < head->field_count; i++) {
		const struct head_field *h = &head->fields[i];

		if (is_secret(h))
			continue;
		text_add(out, h->name.at, h->name.len);
		text_add(out, ": ", 2);
		text_add(out, h->value.at, h->value.len);
		text_add(out, "\r\n", 2);
	}
	text_add(out, "\r\n", 2);
}

static void
echo(struct request *request)
{
	struct session *s = request->session;
	struct buffer_pool *buffers = request->runtime->buffers;
	struct buffer *b = buffer_get(buffers);
	struct text out;

	if (b == NULL) {
		session_reply_error(s, 503, "out of memory");
		return;
	}
	text_init(&out, b->data, BUFFER_BYTES);
	add_request(&out, session_request(s));
	if (text_is_full(&out))
		session_reply_error(s, 431, "request head too large");
	else
		session_reply(s, 200, "message/http", NULL, out.data, out.len);
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
	const struct head *head = session_request(r->session);

	(void)state;
	if (head->max_forwards != 0 &&
	    (r->route != NULL || r->methods != 0 || !is_about_server(head)))
		return STAGE_NEXT;
	if (head->method == HTTP_TRACE)
		echo(r);
	else
		session_reply(r->session, 200, NULL,
		    "Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, "
		    "TRACE\r\n",
		    NULL, 0);
	return STAGE_DONE;
}

const struct stage last_hop_stage = {
    .name = "last_hop", .is_for = is_for, .begin = begin};
