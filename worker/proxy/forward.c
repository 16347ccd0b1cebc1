#include "forward.h"

#include <string.h>
#include <strings.h>

struct slice
forward_path(struct text *room, const struct head *head,
    const struct config_route *route)
{
	struct slice rest = head->path;
	size_t prefix = strlen(route->path);

	/* The `*` of OPTIONS is no path. */
	if (route->rewrite == NULL || head->path.at[0] != '/')
		return head->path;
	rest.at += prefix;
	rest.len -= prefix;
	text_add_str(room, route->rewrite);
	/* "/api/" to "/v2" must not glue "/v2" and "users" together. */
	if (rest.len > 0 && rest.at[0] != '/' && rest.at[0] != '?' &&
	    room->len > 0 && room->data[room->len - 1] != '/')
		text_add(room, "/", 1);
	/* Nor "/api" to "/" make "//users". */
	if (rest.len > 0 && rest.at[0] == '/' && room->len > 0 &&
	    room->data[room->len - 1] == '/') {
		rest.at++;
		rest.len--;
	}
	text_add(room, rest.at, rest.len);
	return (struct slice){room->data, room->len};
}

static void
add_forwarded_for(struct fields *out, const struct head *head, const char *peer)
{
	struct text *value = fields_open(out, "X-Forwarded-For");

	for (size_t i = 0; i < head->field_count; i++) {
		const struct head_field *h = &head->fields[i];

		if (h->id != FIELD_X_FORWARDED_FOR || h->nominated ||
		    h->value.len == 0)
			continue;
		text_add(value, h->value.at, h->value.len);
		text_add(value, ", ", 2);
	}
	text_add_str(value, peer);
	fields_close(out);
}

/* What goes through to the other side, unchanged. */
static bool
is_end_to_end(const struct head_field *h)
{
	if (h->nominated)
		return false;
	switch (h->id) {
	case FIELD_CONNECTION:
	case FIELD_HOP_BY_HOP:
	case FIELD_TE:
	case FIELD_UPGRADE:
	case FIELD_TRANSFER_ENCODING:
	case FIELD_CONTENT_LENGTH:
		return false;
	default:
		return true;
	}
}

/* Of a request's headers, those that are written in another form. */
static bool
is_set_by_us(const struct forward_request *request, const struct head_field *h)
{
	switch (h->id) {
	case FIELD_EXPECT:
	case FIELD_HOST:
	case FIELD_TRACEPARENT:
	case FIELD_X_FORWARDED_FOR:
	case FIELD_X_FORWARDED_PROTO:
	case FIELD_X_REAL_IP:
	case FIELD_X_REQUEST_ID:
		return true;
	case FIELD_MAX_FORWARDS:
		return request->head->max_forwards >= 0;
	case FIELD_TRACESTATE:
		return request->trace->parent_is_new;
	case FIELD_TRAILER:
		return !request->head->chunked;
	default:
		return false;
	}
}

/* RFC 9110 section 7.6.3. */
static void
add_via(struct fields *out, const struct head *head)
{
	fields_add(out, "Via",
	    head->minor == 0 ? "1.0 " FORWARD_NAME : "1.1 " FORWARD_NAME);
}

/* A traceparent of a later version goes on as it came. */
static void
add_trace(struct fields *out, const struct forward_request *request)
{
	const struct head *head = request->head;

	fields_add(out, "X-Request-Id", request->trace->id);
	if (request->trace->parent[0] != '\0') {
		fields_add(out, "traceparent", request->trace->parent);
		return;
	}
	for (size_t i = 0; i < head->field_count; i++)
		if (head->fields[i].id == FIELD_TRACEPARENT)
			fields_add_line(
			    out, head->fields[i].name, head->fields[i].value);
}

/* The connection to the backend is asked for the same as the client's was. */
static void
add_wishes(struct fields *out, const struct head *head)
{
	if (head->upgrades) {
		fields_add(out, "Connection",
		    head->accepts_trailers ? "Upgrade, TE" : "Upgrade");
		fields_add_slice(out, "Upgrade", head->upgrade);
	} else if (head->accepts_trailers) {
		fields_add(out, "Connection", "TE");
	}
	if (head->accepts_trailers)
		fields_add(out, "TE", "trailers");
}

void
forward_request(struct fields *out, const struct forward_request *request)
{
	const struct head *head = request->head;
	struct fields_run run = {NULL, NULL};

	if (head->host.at != NULL)
		fields_add_slice(out, "Host", head->host);
	else
		fields_add(out, "Host", request->host);
	for (size_t i = 0; i < head->field_count; i++)
		if (is_end_to_end(&head->fields[i]) &&
		    !is_set_by_us(request, &head->fields[i]))
			fields_pass(out, &run, &head->fields[i]);
	fields_end_run(out, &run);
	if (head->max_forwards >= 0)
		fields_add_uint(
		    out, "Max-Forwards", (uint64_t)head->max_forwards - 1);
	fields_add(out, "X-Real-IP", request->peer);
	add_forwarded_for(out, head, request->peer);
	fields_add(out, "X-Forwarded-Proto", "http");
	add_trace(out, request);
	add_via(out, head);
	add_wishes(out, head);
}

static void
add_upgrade(struct fields *out, struct slice protocol)
{
	fields_add(out, "Connection", "Upgrade");
	fields_add_slice(out, "Upgrade", protocol);
}

void
forward_response(struct fields *out, const struct head *response, bool trailers)
{
	struct fields_run run = {NULL, NULL};

	for (size_t i = 0; i < response->field_count; i++)
		if (is_end_to_end(&response->fields[i]) &&
		    (trailers || response->fields[i].id != FIELD_TRAILER))
			fields_pass(out, &run, &response->fields[i]);
	fields_end_run(out, &run);
	add_via(out, response);
	if (response->status == 426 && response->upgrade.at != NULL)
		add_upgrade(out, response->upgrade);
}

void
forward_interim(struct fields *out, const struct head *response)
{
	forward_response(out, response, false);
}

void
forward_switch(struct fields *out, const struct head *response)
{
	forward_response(out, response, false);
	add_upgrade(out, response->upgrade);
}

bool
forward_has_date(const struct head *response)
{
	for (size_t i = 0; i < response->field_count; i++)
		if (response->fields[i].id == FIELD_DATE)
			return !response->fields[i].nominated;
	return false;
}

/* ---- trailers ---- */

static bool
is_forbidden(struct slice name)
{
	static const char *const names[] = {"age", "authorization",
	    "cache-control", "connection", "content-encoding", "content-length",
	    "content-range", "content-type", "cookie", "date", "expect",
	    "expires", "host", "http2-settings", "if-match",
	    "if-modified-since", "if-none-match", "if-range",
	    "if-unmodified-since", "keep-alive", "location", "max-forwards",
	    "pragma", "proxy-authenticate", "proxy-authorization",
	    "proxy-connection", "range", "retry-after", "set-cookie", "te",
	    "trailer", "transfer-encoding", "upgrade", "vary", "via", "warning",
	    "www-authenticate", "x-real-ip", "x-request-id", "forwarded",
	    "traceparent", "tracestate"};
	static const char forwarded[] = "x-forwarded-";

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (slice_is(name, names[i]))
			return true;
	return name.len > strlen(forwarded) &&
	       strncasecmp(name.at, forwarded, strlen(forwarded)) == 0;
}

/* The room is asked for a line at once: half a line would take the message's
 * end with it. */
void
forward_trailers(
    struct fields *out, const struct head *head, struct slice lines)
{
	struct slice name, value;

	while (head_next_field(&lines, &name, &value))
		if (!is_forbidden(name) && !head_nominates(head, name))
			fields_add_line(out, name, value);
}
