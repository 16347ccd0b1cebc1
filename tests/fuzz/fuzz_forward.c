/*
 * Goal: a head rewritten by forward.h is a valid message, framed once, without
 * a forbidden field; likewise the trailers. Below /api the route rewrites. Flag
 * 2: a response; flag 4: to HEAD; flag 8: to a client without trailers; flag
 * 16: from a trusted proxy.
 */
#include <strings.h>

#include "forward.h"
#include "h1_head.h"
#include "origin.h"
#include "parse.h"
#include "route.h"

#define ROOM 65536

/* Fields that the gateway alone may write, since their meaning is known. */
static const char *const ours[] = {
    "host",
    "content-length",
    "date",
    "expect",
    "forwarded",
    "traceparent",
    "tracestate",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-prefix",
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

static const struct path_rules rules;
static const struct config_route routes[] = {
    {.path = (char *)(uintptr_t)"/"},
    {.path = (char *)(uintptr_t)"/api", .rewrite = (char *)(uintptr_t)"/v2/"},
};

static struct route_table *table;
static char out[ROOM];

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	table = route_table_new(routes, sizeof(routes) / sizeof(*routes));
	MUST(table != NULL);
	return 0;
}

/* The client behind 10.0.0.9 in client, when the peer is a trusted proxy. */
static const char *
find_client(const struct head *head, bool is_proxied, char *client)
{
	static struct cidr network;
	const struct origin_trust trust = {&network, is_proxied ? 1 : 0};
	struct sock_host peer, host;

	MUST(sock_host_parse(&peer, (struct slice){"10.0.0.9", 8}) == 0);
	MUST(cidr_parse(&network, "10.0.0.0/8") == 0);
	MUST(origin_of_request(&host, &trust, &peer, head) == is_proxied);
	return is_proxied ? sock_host_str(&host, client) : NULL;
}

/* Write a forwarded head; false: no room. Like the callers of forward.h. */
static bool
rewrite_request(struct fields *f, const struct head *head,
    const struct config_route *route, bool is_proxied)
{
	char client[SOCK_TEXT_MAX];
	static char path_room[ROOM];
	struct text path;
	struct trace_source source = {{1, 2, 3, 4}};
	struct trace trace;
	struct stream_start start;
	struct slice whole;
	struct forward_request request = {
	    .head = head,
	    .route = route,
	    .peer = "10.0.0.9",
	    .client = find_client(head, is_proxied, client),
	    .host = "users",
	    .trace = &trace,
	};

	trace_of_request(&trace, &source, head);
	text_init(&path, path_room, sizeof(path_room));
	start = (struct stream_start){
	    .method = head_method(head),
	    .path = forward_path(&path, head, route),
	    .length = head->chunked ? STREAM_LENGTH_UNKNOWN : head->length,
	    .no_body = !head->chunked && !head->has_length,
	    .expects_continue = head->expects_continue,
	};
	stream_lay_out(&start, f, out, sizeof(out));
	forward_request(f, &request);
	if (text_is_full(&path) || fields_are_full(f))
		return false;
	whole = h1_head_around(&start);
	f->lines.data = (char *)(uintptr_t)whole.at;
	f->lines.len = whole.len;
	return true;
}

static bool
rewrite_response(struct fields *f, const struct head *head, bool trailers)
{
	h1_head_status(f, head->status, (struct slice){"OK", 2});
	if (head->upgrades)
		forward_switch(f, head);
	else if (head_is_interim(head))
		forward_interim(f, head);
	else
		forward_response(f, head, trailers);
	h1_head_end(f);
	return !fields_are_full(f);
}

static bool
is_among(struct slice name, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (slice_is(name, names[i]))
			return true;
	return false;
}

#define IS_AMONG(name, names)                                                  \
	is_among(name, names, sizeof(names) / sizeof(*(names)))

static bool
same_name(struct slice a, struct slice b)
{
	return a.len == b.len && strncasecmp(a.at, b.at, a.len) == 0;
}

static bool
same_header(const struct head_field *a, const struct head_field *b)
{
	return same_name(a->name, b->name) && a->value.len == b->value.len &&
	       memcmp(a->value.at, b->value.at, a->value.len) == 0;
}

/* Connection's own words concern the hop alone. */
static void
check_hop(const struct head *from, const struct head_field *h)
{
	static const char *const options[] = {"te", "upgrade", "upgrade, te"};

	MUST(!IS_AMONG(h->name, never));
	switch (h->id) {
	case FIELD_CONNECTION:
		MUST(IS_AMONG(h->value, options));
		break;
	case FIELD_UPGRADE:
		MUST(from->upgrades ||
		     (from->is_response && from->status == 426));
		break;
	case FIELD_TE:
		MUST(from->accepts_trailers);
		MUST(slice_is(h->value, "trailers"));
		break;
	case FIELD_HOP_BY_HOP:
		MUST(!"a hop-by-hop field was sent on");
		break;
	default:
		break;
	}
}

static bool
is_about_this_hop(const struct head_field *h)
{
	return h->id == FIELD_CONNECTION || h->id == FIELD_UPGRADE ||
	       h->id == FIELD_TE || h->id == FIELD_TRANSFER_ENCODING ||
	       h->id == FIELD_MAX_FORWARDS || IS_AMONG(h->name, ours);
}

/* Every outgoing field but our own came in unchanged, in the same order, and
 * was not named by Connection. */
static void
check_fields(const struct head *from, const struct head *to)
{
	size_t at = 0;

	for (size_t i = 0; i < to->field_count; i++) {
		const struct head_field *h = &to->fields[i];

		check_hop(from, h);
		if (is_about_this_hop(h))
			continue;
		while (at < from->field_count &&
		       (from->fields[at].nominated ||
			   !same_header(&from->fields[at], h)))
			at++;
		MUST(at++ < from->field_count);
	}
}

/* Every received field goes out, unless dropped for a reason. */
static void
check_nothing_is_lost(const struct head *from, const struct head *to)
{
	size_t at = 0;

	for (size_t i = 0; i < from->field_count; i++) {
		const struct head_field *h = &from->fields[i];

		if (h->nominated || h->id != FIELD_OTHER ||
		    IS_AMONG(h->name, never))
			continue;
		while (at < to->field_count && !same_header(&to->fields[at], h))
			at++;
		MUST(at++ < to->field_count);
	}
}

static unsigned
count(const struct head *head, enum head_field_id field)
{
	unsigned n = 0;

	for (size_t i = 0; i < head->field_count; i++)
		n += head->fields[i].id == field;
	return n;
}

static void
check_request(const struct head *from, struct parse *to, const char *rewrite,
    bool is_proxied)
{
	const struct head *head = &to->m.head;

	MUST(to->m.error == PARSER_NONE && to->m.head_done);
	MUST(head->field_count > 0);
	parse_check(to);
	MUST(strcmp(head_method_str(head), head_method_str(from)) == 0);
	MUST(head->minor == 1);
	MUST(head->keep_alive);
	MUST(count(head, FIELD_HOST) == 1);
	MUST(count(head, FIELD_X_REAL_IP) == 1);
	MUST(count(head, FIELD_X_FORWARDED_FOR) == 1);
	MUST(count(head, FIELD_X_FORWARDED_PROTO) == 1);
	MUST(count(head, FIELD_FORWARDED) <=
	     (is_proxied ? count(from, FIELD_FORWARDED) : 0));
	MUST(count(head, FIELD_X_FORWARDED) <=
	     (is_proxied ? count(from, FIELD_X_FORWARDED) : 0));
	MUST(count(head, FIELD_X_REQUEST_ID) <= 1);
	MUST(count(head, FIELD_TRACEPARENT) <= 1);
	MUST(head->chunked == from->chunked);
	MUST(head->has_length == from->has_length);
	MUST(!head->has_length || head->length == from->length);
	if (from->host.at != NULL)
		MUST(same_name(head->host, from->host));
	if (rewrite != NULL) {
		MUST(head->path.len >= strlen(rewrite));
		MUST(memcmp(head->path.at, rewrite, strlen(rewrite)) == 0);
	} else {
		MUST(head->path.len == from->path.len);
		MUST(memcmp(head->path.at, from->path.at, head->path.len) == 0);
	}
	check_fields(from, head);
	check_nothing_is_lost(from, head);
}

static void
check_response(const struct head *from, struct parse *to)
{
	const struct head *head = &to->m.head;

	MUST(to->m.error == PARSER_NONE && to->m.head_done);
	parse_check(to);
	MUST(head->status == from->status);
	MUST(!head->chunked && !head->has_length);
	check_fields(from, head);
	check_nothing_is_lost(from, head);
}

/* Reads the written bytes again, like the receiver. */
static void
check_written(const struct parse *from, const struct text *t,
    const struct config_route *route, bool is_proxied)
{
	static const struct parser_limits limits = {ROOM, ROOM, 0};
	static struct parse to;
	struct input in = {.data = (const uint8_t *)t->data, .len = t->len};

	parse_init(&to, &in);
	if (from->m.head.is_response)
		parser_init_response(&to.m, ROOM, from->m.no_body);
	else
		parser_init_request(&to.m, &limits, &rules, to.room);
	parse_message(&to, NULL);
	MUST(to.at == t->len);
	if (from->m.head.is_response)
		check_response(&from->m.head, &to);
	else
		check_request(&from->m.head, &to, route->rewrite, is_proxied);
	parse_fini(&to);
}

/* Names of framing, routing or authentication. With too little room, fitting
 * lines pass whole. */
static void
check_trailers(const struct parse *from, size_t room)
{
	static const char *const forbidden[] = {"authorization", "connection",
	    "content-length", "cookie", "expect", "host", "keep-alive",
	    "max-forwards", "set-cookie", "te", "trailer", "transfer-encoding",
	    "upgrade", "via", "x-forwarded-for", "x-real-ip", "x-request-id"};
	struct slice in, lines, name, value, name_in, value_in;
	struct fields f;
	struct text *t = &f.lines;

	fields_init(&f, out, room);
	forward_trailers(&f, &from->m.head, from->m.trailers);
	MUST(!fields_are_full(&f) || room < sizeof(out));
	parse_check_lines(t->data, t->data + t->len);
	in = from->m.trailers;
	lines = (struct slice){t->data, t->len};
	while (head_next_field(&lines, &name, &value)) {
		MUST(!IS_AMONG(name, forbidden));
		MUST(!head_nominates(&from->m.head, name));
		do
			MUST(head_next_field(&in, &name_in, &value_in));
		while (!same_name(name, name_in));
		MUST(value.len == value_in.len);
		MUST(memcmp(value.at, value_in.at, value.len) == 0);
	}
}

/* The forwarding code has found a route, and answers final requests itself. */
static bool
may_go_on(const struct parser *m, const struct config_route **route)
{
	uint64_t methods;

	if (!m->head_done || m->error != PARSER_NONE)
		return false;
	return m->head.is_response ||
	       (m->head.max_forwards != 0 &&
		   route_find(table, &m->head, route, &methods) == ROUTE_FOUND);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const struct parser_limits limits = {16384, 16384, 0};
	static struct parse from;
	const struct parser *m = &from.m;
	struct input in;
	const struct config_route *route = NULL;
	struct fields f;
	bool fits, is_proxied;

	input_init(&in, data, len);
	is_proxied = (in.flags & 16) != 0;
	parse_init(&from, &in);
	if ((in.flags & 2) != 0)
		parser_init_response(&from.m, 16384, (in.flags & 4) != 0);
	else
		parser_init_request(&from.m, &limits, &rules, from.room);
	parse_message(&from, &in);
	if (may_go_on(m, &route)) {
		fields_init(&f, out, sizeof(out));
		fits = m->head.is_response
			   ? rewrite_response(&f, &m->head, (in.flags & 8) == 0)
			   : rewrite_request(&f, &m->head, route, is_proxied);
		MUST(fits);
		check_written(&from, &f.lines, route, is_proxied);
	}
	if (m->head.chunked && m->done) {
		check_trailers(&from, sizeof(out));
		check_trailers(&from, from.m.trailers.len);
	}
	parse_fini(&from);
	return 0;
}
