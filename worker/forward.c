#include "forward.h"

#include <string.h>

static void
add_slice(struct text *out, struct message_slice s)
{
	text_add(out, s.at, s.len);
}

static void
add_line(struct text *out, const char *name, const char *value)
{
	text_add_str(out, name);
	text_add(out, ": ", 2);
	text_add_str(out, value);
	text_add(out, "\r\n", 2);
}

static void
add_header(struct text *out, const struct message_header *h)
{
	add_slice(out, h->name);
	text_add(out, ": ", 2);
	add_slice(out, h->value);
	text_add(out, "\r\n", 2);
}

static void
add_path(
    struct text *out, const struct message *m, const struct config_route *route)
{
	struct message_slice rest = m->path;
	size_t prefix = strlen(route->path);

	if (route->rewrite == NULL) {
		add_slice(out, m->path);
		return;
	}
	rest.at += prefix;
	rest.len -= prefix;
	text_add_str(out, route->rewrite);
	/* "/api/" to "/v2" must not glue "/v2" and "users" together. */
	if (rest.len > 0 && rest.at[0] != '/' && rest.at[0] != '?' &&
	    out->len > 0 && out->data[out->len - 1] != '/')
		text_add(out, "/", 1);
	/* Nor "/api" to "/" make "//users". */
	if (rest.len > 0 && rest.at[0] == '/' && out->len > 0 &&
	    out->data[out->len - 1] == '/') {
		rest.at++;
		rest.len--;
	}
	add_slice(out, rest);
}

static void
add_forwarded_for(struct text *out, const struct message *m, const char *peer)
{
	text_add_str(out, "X-Forwarded-For: ");
	for (size_t i = 0; i < m->header_count; i++) {
		if (m->headers[i].field != FIELD_X_FORWARDED_FOR ||
		    m->headers[i].value.len == 0)
			continue;
		add_slice(out, m->headers[i].value);
		text_add(out, ", ", 2);
	}
	text_add_str(out, peer);
	text_add(out, "\r\n", 2);
}

/* What goes through to the other side, unchanged. */
static bool
is_end_to_end(const struct message_header *h)
{
	if (h->nominated)
		return false;
	switch (h->field) {
	case FIELD_CONNECTION:
	case FIELD_HOP_BY_HOP:
	case FIELD_TE:
	case FIELD_TRAILER:
	case FIELD_UPGRADE:
	case FIELD_TRANSFER_ENCODING:
	case FIELD_CONTENT_LENGTH:
		return false;
	default:
		return true;
	}
}

static bool
is_set_by_us(enum message_field field)
{
	return field == FIELD_HOST || field == FIELD_X_REAL_IP ||
	       field == FIELD_X_FORWARDED_FOR ||
	       field == FIELD_X_FORWARDED_PROTO || field == FIELD_EXPECT;
}

void
forward_request(struct text *out, const struct forward_request *request)
{
	const struct message *m = request->message;

	text_add_str(out, message_method(m));
	text_add(out, " ", 1);
	add_path(out, m, request->route);
	text_add_str(out, " HTTP/1.1\r\nHost: ");
	if (m->host.at != NULL)
		add_slice(out, m->host);
	else
		text_add_str(out, request->host);
	text_add(out, "\r\n", 2);
	for (size_t i = 0; i < m->header_count; i++)
		if (is_end_to_end(&m->headers[i]) &&
		    !is_set_by_us(m->headers[i].field))
			add_header(out, &m->headers[i]);
	add_line(out, "X-Real-IP", request->peer);
	add_forwarded_for(out, m, request->peer);
	add_line(out, "X-Forwarded-Proto", "http");
	if (m->chunked) {
		add_line(out, "Transfer-Encoding", "chunked");
	} else if (m->has_length) {
		text_add_str(out, "Content-Length: ");
		text_add_uint(out, m->length);
		text_add(out, "\r\n", 2);
	}
	text_add(out, "\r\n", 2);
}

void
forward_response(struct text *out, const struct message *response)
{
	for (size_t i = 0; i < response->header_count; i++)
		if (is_end_to_end(&response->headers[i]))
			add_header(out, &response->headers[i]);
}

bool
forward_has_date(const struct message *response)
{
	for (size_t i = 0; i < response->header_count; i++)
		if (response->headers[i].field == FIELD_DATE)
			return !response->headers[i].nominated;
	return false;
}
