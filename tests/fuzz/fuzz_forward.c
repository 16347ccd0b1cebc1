/*
 * Goal: what leaves after forward.h has rewritten a head is a valid message,
 * framed once, and says nothing that it should not. Flag 1: a route that
 * rewrites; flag 2: a response; flag 4: to HEAD.
 */
#include <strings.h>

#include "forward.h"
#include "parse.h"
#include "route.h"

#define ROOM 65536

/* Fields that only we may send on, because we know what they say. */
static const char *const ours[] = {
    "host",
    "content-length",
    "date",
    "expect",
    "traceparent",
    "tracestate",
    "via",
    "x-forwarded-for",
    "x-forwarded-proto",
    "x-real-ip",
    "x-request-id",
};

/* Fields of RFC 9110 section 7.6.1 that never leave. */
static const char *const never[] = {
    "http2-settings",
    "keep-alive",
    "proxy-authenticate",
    "proxy-connection",
};

static const struct config_route routes[] = {
    {.path = (char *)(uintptr_t)"/", .service = 0},
    {.path = (char *)(uintptr_t)"/api",
	.rewrite = (char *)(uintptr_t)"/v2/",
	.service = 0},
};

static char out[ROOM];

/* Writes the head that goes on to a backend; false: it did not fit. The one
 * place that knows what forward.h wants to be told. */
static bool
rewrite_request(struct text *t, const struct message *m, bool rewrites)
{
	struct forward_request request = {
	    .message = m,
	    .route = &routes[rewrites],
	    .peer = "10.0.0.9",
	    .host = "users",
	};

	forward_request(t, &request);
	return !text_is_full(t);
}

static bool
rewrite_response(struct text *t, const struct message *m)
{
	text_addf(t, "HTTP/1.1 %u OK\r\n", message_status(m));
	forward_response(t, m);
	text_add_str(t, "\r\n");
	return !text_is_full(t);
}

static bool
is_among(struct message_slice name, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (message_slice_is(name, names[i]))
			return true;
	return false;
}

#define IS_AMONG(name, names)                                                  \
	is_among(name, names, sizeof(names) / sizeof(*(names)))

static bool
same_name(struct message_slice a, struct message_slice b)
{
	return a.len == b.len && strncasecmp(a.at, b.at, a.len) == 0;
}

static bool
same_header(const struct message_header *a, const struct message_header *b)
{
	return same_name(a->name, b->name) && a->value.len == b->value.len &&
	       memcmp(a->value.at, b->value.at, a->value.len) == 0;
}

/* What Connection says by itself is about our own hop. */
static void
check_hop(const struct message *from, const struct message_header *h)
{
	static const char *const options[] = {
	    "close", "keep-alive", "TE", "upgrade", "TE, upgrade"};

	MUST(!IS_AMONG(h->name, never));
	switch (h->field) {
	case FIELD_CONNECTION:
		MUST(IS_AMONG(h->value, options));
		break;
	case FIELD_UPGRADE:
		MUST(from->upgrades);
		break;
	case FIELD_TE:
		MUST(from->accepts_trailers);
		MUST(message_slice_is(h->value, "trailers"));
		break;
	case FIELD_HOP_BY_HOP:
		MUST(!"a hop-by-hop field was sent on");
		break;
	default:
		break;
	}
}

static bool
is_about_this_hop(const struct message_header *h)
{
	return h->field == FIELD_CONNECTION || h->field == FIELD_UPGRADE ||
	       h->field == FIELD_TE || h->field == FIELD_TRANSFER_ENCODING ||
	       h->field == FIELD_MAX_FORWARDS || IS_AMONG(h->name, ours);
}

/* Every field that is not ours came in as it goes out, in the same order, and
 * was not named by Connection. */
static void
check_fields(const struct message *from, const struct message *to)
{
	size_t at = 0;

	for (size_t i = 0; i < to->header_count; i++) {
		const struct message_header *h = &to->headers[i];

		check_hop(from, h);
		if (is_about_this_hop(h))
			continue;
		while (at < from->header_count &&
		       (from->headers[at].nominated ||
			   !same_header(&from->headers[at], h)))
			at++;
		MUST(at++ < from->header_count);
	}
}

/* And what came in goes out, unless there is a reason. */
static void
check_nothing_is_lost(const struct message *from, const struct message *to)
{
	size_t at = 0;

	for (size_t i = 0; i < from->header_count; i++) {
		const struct message_header *h = &from->headers[i];

		if (h->nominated || h->field != FIELD_OTHER ||
		    IS_AMONG(h->name, never))
			continue;
		while (
		    at < to->header_count && !same_header(&to->headers[at], h))
			at++;
		MUST(at++ < to->header_count);
	}
}

static unsigned
count(const struct message *m, enum message_field field)
{
	unsigned n = 0;

	for (size_t i = 0; i < m->header_count; i++)
		n += m->headers[i].field == field;
	return n;
}

/* A cap on headers is met by what comes in; ours are on top of it. */
static bool
is_too_many(const struct message *from)
{
	return from->header_count > MESSAGE_HEADERS_MAX - 16;
}

static void
check_request(const struct message *from, struct parse *to, bool rewrites)
{
	const struct message *m = &to->m;

	MUST(m->error == MESSAGE_NONE && m->head_done);
	MUST(m->header_count > 0);
	parse_check(to);
	MUST(strcmp(message_method(m), message_method(from)) == 0);
	MUST(m->parser.http_minor == 1);
	MUST(m->keep_alive);
	MUST(count(m, FIELD_HOST) == 1);
	MUST(count(m, FIELD_X_REAL_IP) == 1);
	MUST(count(m, FIELD_X_FORWARDED_FOR) == 1);
	MUST(count(m, FIELD_X_FORWARDED_PROTO) == 1);
	MUST(count(m, FIELD_X_REQUEST_ID) <= 1);
	MUST(count(m, FIELD_TRACEPARENT) <= 1);
	MUST(m->chunked == from->chunked);
	MUST(m->has_length == from->has_length);
	MUST(!m->has_length || m->length == from->length);
	if (from->host.at != NULL)
		MUST(same_name(m->host, from->host));
	if (!rewrites) {
		MUST(m->path.len == from->path.len);
		MUST(memcmp(m->path.at, from->path.at, m->path.len) == 0);
	}
	check_fields(from, m);
	check_nothing_is_lost(from, m);
}

static void
check_response(const struct message *from, struct parse *to)
{
	const struct message *m = &to->m;

	MUST(m->error == MESSAGE_NONE && m->head_done);
	parse_check(to);
	MUST(message_status(m) == message_status(from));
	MUST(!m->chunked && !m->has_length);
	check_fields(from, m);
	check_nothing_is_lost(from, m);
}

/* What was written is read again as the other side would. */
static void
check_written(const struct parse *from, const struct text *t, bool rewrites)
{
	static const struct message_limits limits = {ROOM, ROOM, 0};
	static struct parse to;
	struct input in = {.data = (const uint8_t *)t->data, .len = t->len};

	parse_init(&to, &in);
	if (from->m.is_response)
		message_init_response(&to.m, ROOM, from->m.no_body);
	else
		message_init_request(&to.m, &limits);
	parse_message(&to, NULL);
	MUST(to.at == t->len);
	if (from->m.is_response)
		check_response(&from->m, &to);
	else
		check_request(&from->m, &to, rewrites);
	parse_fini(&to);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const struct message_limits limits = {16384, 16384, 0};
	static struct parse from;
	struct input in;
	struct text t;
	bool rewrites, fits;

	input_init(&in, data, len);
	parse_init(&from, &in);
	if ((in.flags & 2) != 0)
		message_init_response(&from.m, 16384, (in.flags & 4) != 0);
	else
		message_init_request(&from.m, &limits);
	parse_message(&from, &in);
	rewrites = (in.flags & 1) != 0 && !from.m.is_response;
	text_init(&t, out, sizeof(out));
	if (from.m.head_done && from.m.error == MESSAGE_NONE &&
	    !is_too_many(&from.m) &&
	    (!rewrites || route_find(&routes[1], 1, from.m.path) != NULL)) {
		fits = from.m.is_response
			   ? rewrite_response(&t, &from.m)
			   : rewrite_request(&t, &from.m, rewrites);
		MUST(fits);
		check_written(&from, &t, rewrites);
	}
	parse_fini(&from);
	return 0;
}
