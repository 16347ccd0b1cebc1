#include "forward.h"

#include <string.h>

#include "octet.h"

struct slice
forward_path(struct text *room, const struct head *head,
    const struct config_route *route)
{
	struct slice rest = head->path;
	size_t prefix;

	/* The `*` of OPTIONS is no path. */
	if (route->rewrite == NULL || head->path.at[0] != '/')
		return head->path;
	prefix = strlen(route->path);
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

/* Sets of fields, a bit for each that the table of head.c knows. */
#define BIT(field) (UINT32_C(1) << (field))
_Static_assert(FIELD_X_REQUEST_ID < 32, "a set of fields has 32 bits");

/* Fields of one connection alone, or of its framing. */
#define HOP_BY_HOP                                                             \
	(BIT(FIELD_CONNECTION) | BIT(FIELD_HOP_BY_HOP) |                       \
	    BIT(FIELD_KEEP_ALIVE) | BIT(FIELD_TE) | BIT(FIELD_UPGRADE) |       \
	    BIT(FIELD_TRANSFER_ENCODING) | BIT(FIELD_CONTENT_LENGTH))
/* Fields of a request that are written in another form. A backend may take a
 * shadow for the field itself. */
#define REWRITTEN                                                              \
	(BIT(FIELD_SHADOW) | BIT(FIELD_EXPECT) | BIT(FIELD_HOST) |             \
	    BIT(FIELD_TRACEPARENT) | BIT(FIELD_X_FORWARDED_FOR) |              \
	    BIT(FIELD_X_FORWARDED_PROTO) | BIT(FIELD_X_REAL_IP) |              \
	    BIT(FIELD_X_REQUEST_ID))

/* Dropped from every response: the owner adds the id of the request. */
#define OF_RESPONSE (HOP_BY_HOP | BIT(FIELD_X_REQUEST_ID))

/* Further words about the client, which only a trusted proxy may say. */
#define CLAIMED (BIT(FIELD_FORWARDED) | BIT(FIELD_X_FORWARDED))

static uint32_t
dropped_of_request(const struct forward_request *request)
{
	uint32_t dropped = HOP_BY_HOP | REWRITTEN;

	if (request->client == NULL)
		dropped |= CLAIMED;
	if (request->head->max_forwards >= 0)
		dropped |= BIT(FIELD_MAX_FORWARDS);
	if (request->trace->parent_is_new)
		dropped |= BIT(FIELD_TRACESTATE);
	if (!request->head->chunked)
		dropped |= BIT(FIELD_TRAILER);
	return dropped;
}

/* All other fields pass, in their order. */
static void
pass_fields(struct fields *out, const struct head *head, uint32_t dropped)
{
	struct fields_run run = {NULL, NULL};

	for (size_t i = 0; i < head->field_count; i++) {
		const struct head_field *h = &head->fields[i];

		if (!h->nominated && (dropped & BIT(h->id)) == 0)
			fields_pass(out, &run, h);
	}
	fields_end_run(out, &run);
}

/* RFC 9110 section 7.6.3. */
static void
add_via(struct fields *out, const struct head *head)
{
	if (head->minor == 0)
		fields_add(out, "Via", "1.0 " HEAD_OWN_NAME);
	else
		fields_add(out, "Via", "1.1 " HEAD_OWN_NAME);
}

/* A traceparent of a later version passes unchanged. */
static void
add_trace(struct fields *out, const struct forward_request *request)
{
	const struct head *head = request->head;
	const char *parent = request->trace->parent;

	fields_add_slice(out, "X-Request-Id",
	    (struct slice){request->trace->id, request->trace->id_len});
	if (parent[0] != '\0') {
		fields_add_slice(out, "traceparent",
		    (struct slice){parent, TRACE_PARENT_BYTES});
		return;
	}
	for (size_t i = 0; i < head->field_count; i++)
		if (head->fields[i].id == FIELD_TRACEPARENT)
			fields_add_line(
			    out, head->fields[i].name, head->fields[i].value);
}

/* Adds Upgrade with all protocols that the head names. Returns the list, which
 * lies in out. */
static struct slice
add_protocols(struct fields *out, const struct head *head)
{
	struct text *value = fields_open(out, "Upgrade");
	size_t begun = value->len;
	struct slice list, what;

	for (size_t i = 0; i < head->field_count; i++) {
		if (head->fields[i].id != FIELD_UPGRADE)
			continue;
		list = head->fields[i].value;
		while ((what = head_next_element(&list)).at != NULL) {
			if (!head_is_protocol(what))
				continue;
			if (value->len > begun)
				text_add(value, ", ", 2);
			text_add(value, what.at, what.len);
		}
	}
	list = (struct slice){value->data + begun, value->len - begun};
	fields_close(out);
	return list;
}

/* Repeats the client's own wishes for the connection to the backend. */
static struct slice
add_wishes(struct fields *out, const struct forward_request *request)
{
	const struct head *head = request->head;
	struct slice protocols = {NULL, 0};

	if (head->upgrades ||
	    (head->upgrade.at != NULL && request->route->upgrade_body)) {
		fields_add(out, "Connection",
		    head->accepts_trailers ? "Upgrade, TE" : "Upgrade");
		protocols = add_protocols(out, head);
	} else if (head->accepts_trailers) {
		fields_add(out, "Connection", "TE");
	}
	if (head->accepts_trailers)
		fields_add(out, "TE", "trailers");
	return protocols;
}

/* Adds the values of all fields of the kind as one list. Connection can't name
 * the fields away: a trusted proxy may have passed on a client's Connection.
 * Returns the number of values. */
static unsigned
add_values(struct text *list, const struct head *head, enum head_field_id field)
{
	unsigned count = 0;

	for (size_t i = 0; i < head->field_count; i++) {
		const struct head_field *h = &head->fields[i];

		if (h->id != field || h->value.len == 0)
			continue;
		if (count++ != 0)
			text_add(list, ", ", 2);
		text_add(list, h->value.at, h->value.len);
	}
	return count;
}

/* Repeats the words of a trusted proxy. The proxy is the last of the chain,
 * unless its socket has no address for the next reader. */
static void
add_proxied(struct fields *out, const struct forward_request *request)
{
	const struct head *head = request->head;
	struct text *value = fields_open(out, "X-Forwarded-For");

	if (add_values(value, head, FIELD_X_FORWARDED_FOR) == 0) {
		text_add_str(value, request->peer);
	} else if (strncmp(request->peer, "unix:", 5) != 0) {
		text_add(value, ", ", 2);
		text_add_str(value, request->peer);
	}
	fields_close(out);
	value = fields_open(out, "X-Forwarded-Proto");
	if (add_values(value, head, FIELD_X_FORWARDED_PROTO) == 0)
		text_add_str(value, "http");
	fields_close(out);
}

static void
add_client(struct fields *out, const struct forward_request *request)
{
	const struct slice peer = {request->peer, strlen(request->peer)};

	if (request->client != NULL) {
		fields_add(out, "X-Real-IP", request->client);
		add_proxied(out, request);
		return;
	}
	fields_add_slice(out, "X-Real-IP", peer);
	fields_add_slice(out, "X-Forwarded-For", peer);
	fields_add(out, "X-Forwarded-Proto", "http");
}

struct slice
forward_request(struct fields *out, const struct forward_request *request)
{
	const struct head *head = request->head;

	if (head->host.at != NULL)
		fields_add_slice(out, "Host", head->host);
	else
		fields_add(out, "Host", request->host);
	pass_fields(out, head, dropped_of_request(request));
	if (head->max_forwards >= 0)
		fields_add_uint(
		    out, "Max-Forwards", (uint64_t)head->max_forwards - 1);
	add_client(out, request);
	add_trace(out, request);
	add_via(out, head);
	return add_wishes(out, request);
}

static void
add_upgrade(struct fields *out, const struct head *response)
{
	fields_add(out, "Connection", "Upgrade");
	(void)add_protocols(out, response);
}

void
forward_response(struct fields *out, const struct head *response, bool trailers)
{
	pass_fields(out, response,
	    trailers ? OF_RESPONSE : OF_RESPONSE | BIT(FIELD_TRAILER));
	add_via(out, response);
	if (response->status == 426 && response->upgrade.at != NULL)
		add_upgrade(out, response);
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
	add_upgrade(out, response);
}

/* ---- trailers ---- */

/* For the names of a request, `_` stands for `-`, too. */
static bool
is_name(struct slice name, const char *lower, bool is_response)
{
	if (name.len != strlen(lower))
		return false;
	return is_response ? octet_same(name.at, lower, name.len)
			   : octet_same_variable(name.at, lower, name.len);
}

static bool
is_forbidden(struct slice name, bool is_response)
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
		if (is_name(name, names[i], is_response))
			return true;
	if (name.len <= strlen(forwarded))
		return false;
	name.len = strlen(forwarded);
	return is_name(name, forwarded, is_response);
}

/* As received, with its CRLF, and so no longer. A line without room is left out
 * whole: half a line would take the message's end along. */
void
forward_trailers(
    struct fields *out, const struct head *head, struct slice lines)
{
	struct slice name, value;

	while (head_next_field(&lines, &name, &value))
		if (!is_forbidden(name, head->is_response) &&
		    !head_nominates(head, name))
			text_add(
			    &out->lines, name.at, (size_t)(lines.at - name.at));
}
