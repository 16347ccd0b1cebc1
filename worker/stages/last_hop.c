#include "last_hop.h"

#include "request.h"

/* `OPTIONS *`: asks about the server, not about a path. */
static bool
is_about_server(const struct message *m)
{
	return m->parser.method == HTTP_OPTIONS && slice_is(m->path, "*");
}

/* RFC 9110 section 9.3.8: nor what might be someone's secret. */
static bool
is_secret(const struct message_header *h)
{
	return h->field == FIELD_COOKIE || slice_is(h->name, "authorization") ||
	       slice_is(h->name, "proxy-authorization");
}

static void
add_request(struct text *out, const struct message *m)
{
	text_addf(out, "%s %.*s HTTP/1.%u\r\n", message_method(m),
	    (int)m->target.len, m->target.at, m->parser.http_minor & 1U);
	for (size_t i = 0; i < m->header_count; i++) {
		const struct message_header *h = &m->headers[i];

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
	const struct message *m = session_request(r->session);

	(void)state;
	if (m->max_forwards != 0 &&
	    (r->route != NULL || r->methods != 0 || !is_about_server(m)))
		return STAGE_NEXT;
	if (m->parser.method == HTTP_TRACE)
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
