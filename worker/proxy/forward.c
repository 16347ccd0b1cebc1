#include "forward.h"

#include <string.h>
#include <strings.h>

static void
add_slice(struct text *out, struct slice s)
{
	text_add(out, s.at, s.len);
}

/* name: with its colon and space. */
static inline void
add_line(struct text *out, const char *name, const char *value, size_t len)
{
	text_add_str(out, name);
	text_add(out, value, len);
	text_add(out, "\r\n", 2);
}

static void
add_header(struct text *out, const struct head_field *h)
{
	add_slice(out, h->name);
	text_add(out, ": ", 2);
	add_slice(out, h->value);
	text_add(out, "\r\n", 2);
}

/* Lines of a head that go on as they came, one behind the other. */
struct run {
	const char *at; /* NULL: none */
	const char *end;
};

static void
add_run(struct text *out, struct run *run)
{
	if (run->at != NULL)
		text_add(out, run->at, (size_t)(run->end - run->at));
	run->at = NULL;
}

/* As we write it: one space before the value, and the line's end behind it. */
static bool
is_written_so(const struct head_field *h)
{
	return h->value.at == h->name.at + h->name.len + 2 &&
	       h->value.at[-1] == ' ' && h->value.at[h->value.len] == '\r';
}

/* Most are neighbours, so that one copy takes many. */
static void
pass_header(struct text *out, struct run *run, const struct head_field *h)
{
	if (!is_written_so(h)) {
		add_run(out, run);
		add_header(out, h);
		return;
	}
	if (run->at == NULL || run->end != h->name.at) {
		add_run(out, run);
		run->at = h->name.at;
	}
	run->end = h->value.at + h->value.len + 2;
}

static void
add_path(
    struct text *out, const struct head *head, const struct config_route *route)
{
	struct slice rest = head->path;
	size_t prefix = strlen(route->path);

	/* The `*` of OPTIONS is no path. */
	if (route->rewrite == NULL || head->path.at[0] != '/') {
		add_slice(out, head->path);
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
add_forwarded_for(struct text *out, const struct head *head, const char *peer)
{
	text_add_str(out, "X-Forwarded-For: ");
	for (size_t i = 0; i < head->field_count; i++) {
		if (head->fields[i].id != FIELD_X_FORWARDED_FOR ||
		    head->fields[i].nominated || head->fields[i].value.len == 0)
			continue;
		add_slice(out, head->fields[i].value);
		text_add(out, ", ", 2);
	}
	text_add_str(out, peer);
	text_add(out, "\r\n", 2);
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
add_via(struct text *out, const struct head *head)
{
	if (head->minor == 0)
		text_add_str(out, "Via: 1.0 " FORWARD_NAME "\r\n");
	else
		text_add_str(out, "Via: 1.1 " FORWARD_NAME "\r\n");
}

/* A traceparent of a later version goes on as it came. */
static void
add_trace(struct text *out, const struct forward_request *request)
{
	const struct head *head = request->head;

	add_line(out, "X-Request-Id: ", request->trace->id,
	    strlen(request->trace->id));
	if (request->trace->parent[0] != '\0') {
		add_line(out, "traceparent: ", request->trace->parent,
		    strlen(request->trace->parent));
		return;
	}
	for (size_t i = 0; i < head->field_count; i++)
		if (head->fields[i].id == FIELD_TRACEPARENT)
			add_header(out, &head->fields[i]);
}

/* What this connection is asked to do, as the client's was. */
static void
add_wishes(struct text *out, const struct head *head)
{
	if (head->upgrades) {
		text_add_str(out, head->accepts_trailers
				      ? "Connection: Upgrade, TE\r\nUpgrade: "
				      : "Connection: Upgrade\r\nUpgrade: ");
		add_slice(out, head->upgrade);
		text_add(out, "\r\n", 2);
	} else if (head->accepts_trailers) {
		text_add_str(out, "Connection: TE\r\n");
	}
	if (head->accepts_trailers)
		text_add_str(out, "TE: trailers\r\n");
}

static void
add_number(struct text *out, const char *name, uint64_t n)
{
	text_add_str(out, name);
	text_add(out, ": ", 2);
	text_add_uint(out, n);
	text_add(out, "\r\n", 2);
}

void
forward_request(struct text *out, const struct forward_request *request)
{
	const struct head *head = request->head;
	struct run run = {NULL, NULL};

	text_add_str(out, head_method_str(head));
	text_add(out, " ", 1);
	add_path(out, head, request->route);
	text_add_str(out, " HTTP/1.1\r\nHost: ");
	if (head->host.at != NULL)
		add_slice(out, head->host);
	else
		text_add_str(out, request->host);
	text_add(out, "\r\n", 2);
	for (size_t i = 0; i < head->field_count; i++)
		if (is_end_to_end(&head->fields[i]) &&
		    !is_set_by_us(request, &head->fields[i]))
			pass_header(out, &run, &head->fields[i]);
	add_run(out, &run);
	if (head->max_forwards >= 0)
		add_number(
		    out, "Max-Forwards", (uint64_t)head->max_forwards - 1);
	add_line(out, "X-Real-IP: ", request->peer, strlen(request->peer));
	add_forwarded_for(out, head, request->peer);
	text_add_str(out, "X-Forwarded-Proto: http\r\n");
	add_trace(out, request);
	add_via(out, head);
	add_wishes(out, head);
	if (head->expects_continue)
		text_add_str(out, "Expect: 100-continue\r\n");
	if (head->chunked)
		text_add_str(out, "Transfer-Encoding: chunked\r\n");
	else if (head->has_length)
		add_number(out, "Content-Length", head->length);
	text_add(out, "\r\n", 2);
}

static void
add_upgrade(struct text *out, struct slice protocol)
{
	text_add_str(out, "Connection: Upgrade\r\nUpgrade: ");
	add_slice(out, protocol);
	text_add(out, "\r\n", 2);
}

void
forward_response(struct text *out, const struct head *response, bool trailers)
{
	struct run run = {NULL, NULL};

	for (size_t i = 0; i < response->field_count; i++)
		if (is_end_to_end(&response->fields[i]) &&
		    (trailers || response->fields[i].id != FIELD_TRAILER))
			pass_header(out, &run, &response->fields[i]);
	add_run(out, &run);
	add_via(out, response);
	if (response->status == 426 && response->upgrade.at != NULL)
		add_upgrade(out, response->upgrade);
}

void
forward_interim(struct text *out, const struct head *response)
{
	forward_response(out, response, false);
}

void
forward_switch(struct text *out, const struct head *response)
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

void
forward_trailers(struct text *out, const struct head *head, struct slice lines)
{
	struct head_field h = {.id = FIELD_OTHER};
	size_t whole = out->len;

	while (head_next_field(&lines, &h.name, &h.value)) {
		if (is_forbidden(h.name) || head_nominates(head, h.name))
			continue;
		add_header(out, &h);
		/* Half a line would take the message's end with it. */
		if (text_is_full(out)) {
			out->len = whole;
			return;
		}
		whole = out->len;
	}
}
