/* forward: what passes through a proxy, what is added and what is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "forward.h"
#include "h1_head.h"
#include "parser.h"

static struct parser message;
static const struct path_rules rules;
static char in[4096], out[4096], normal[4096];

static const struct config_route plain = {.path = (char *)(uintptr_t)"/"};

static void
read_message(const char *text, bool response)
{
	size_t len = strlen(text);

	memcpy(in, text, len);
	if (response)
		parser_init_response(&message, sizeof(in), false);
	else
		parser_init_request(&message,
		    &(struct parser_limits){sizeof(in), sizeof(in), 0}, &rules,
		    normal);
	assert_true(parser_feed(&message, in, len) > 0);
	assert_int_equal(message.error, PARSER_NONE);
	assert_true(message.head_done);
}

#define PARENT "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

/* The names that trace.h gives to a request without names. */
static struct trace trace = {.id = "id1",
    .id_len = 3,
    .parent = PARENT,
    .id_is_new = true,
    .parent_is_new = true};

/* The protocols that the last forwarded request offers. */
static struct slice protocols;

/* Set when the peer is a trusted proxy. */
static const char *client;
static const char *peer = "10.0.0.9";

static const char *
forwarded(const char *text, const struct config_route *route)
{
	struct forward_request request = {.head = &message.head,
	    .route = route,
	    .peer = peer,
	    .client = client,
	    .host = "users",
	    .trace = &trace};
	struct stream_start start = {.method = {NULL, 0}};
	struct slice head;
	struct text path;
	struct fields f;
	char room[512];

	read_message(text, false);
	text_init(&path, room, sizeof(room));
	start.method = head_method(&message.head);
	start.path = forward_path(&path, &message.head, route);
	start.length =
	    message.head.chunked ? STREAM_LENGTH_UNKNOWN : message.head.length;
	start.no_body = !message.head.chunked && !message.head.has_length;
	start.expects_continue = message.head.expects_continue;
	stream_lay_out(&start, &f, out, sizeof(out) - 1);
	protocols = forward_request(&f, &request);
	assert_false(text_is_full(&path));
	assert_false(fields_are_full(&f));
	head = h1_head_around(&start);
	out[head.at + head.len - out] = '\0';
	return head.at;
}

#define TAIL                                                                   \
	"X-Real-IP: 10.0.0.9\r\nX-Forwarded-For: 10.0.0.9\r\n"                 \
	"X-Forwarded-Proto: http\r\n" NAMES
#define NAMES                                                                  \
	"X-Request-Id: id1\r\ntraceparent: " PARENT "\r\nVia: 1.1 drover\r\n"

static void
a_plain_request(void **state)
{
	(void)state;
	assert_string_equal(forwarded("GET /a?b=c HTTP/1.1\r\nHost: h:80\r\n"
				      "Accept: */*\r\nCookie: x\r\n\r\n",
				&plain),
	    "GET /a?b=c HTTP/1.1\r\nHost: h:80\r\nAccept: */*\r\n"
	    "Cookie: x\r\n" TAIL "\r\n");
}

static void
no_hop_by_hop(void **state)
{
	(void)state;
	assert_string_equal(
	    forwarded(
		"GET / HTTP/1.1\r\nHost: h\r\nConnection: close, X-Mine\r\n"
		"X-Mine: 1\r\nKeep-Alive: 5\r\nTE: gzip\r\n"
		"HTTP2-Settings: x\r\n"
		"Trailer: a\r\nUpgrade: h2c\r\nProxy-Connection: x\r\n"
		"Proxy-Authorization: secret\r\nX-Other: 2\r\n\r\n",
		&plain),
	    "GET / HTTP/1.1\r\nHost: h\r\nX-Other: 2\r\n" TAIL "\r\n");
}

static void
addresses_are_ours_and_the_chain_is_kept(void **state)
{
	(void)state;
	client = "2.2.2.2";
	assert_string_equal(
	    forwarded("GET / HTTP/1.1\r\nHost: h\r\nX-Real-IP: 6.6.6.6\r\n"
		      "X-Forwarded-For: 1.1.1.1\r\nX-Forwarded-For: 2.2.2.2\r\n"
		      "X-Forwarded-Proto: https\r\n\r\n",
		&plain),
	    "GET / HTTP/1.1\r\nHost: h\r\nX-Real-IP: 2.2.2.2\r\n"
	    "X-Forwarded-For: 1.1.1.1, 2.2.2.2, 10.0.0.9\r\n"
	    "X-Forwarded-Proto: https\r\n" NAMES "\r\n");
	client = NULL;
}

#define CLAIMS                                                                 \
	"X-Real-IP: 6.6.6.6\r\nX-Forwarded-For: 1.1.1.1\r\n"                   \
	"x-forwarded-for: 2.2.2.2\r\nX-Forwarded-Proto: https\r\n"             \
	"X-Forwarded-Host: evil\r\nX-FORWARDED-PORT: 1\r\n"                    \
	"X-Forwarded-Prefix: /p\r\nForwarded: for=6.6.6.6;proto=https\r\n"

static void
nothing_is_believed_of_a_stranger(void **state)
{
	(void)state;
	assert_string_equal(
	    forwarded("GET / HTTP/1.1\r\nHost: h\r\n" CLAIMS
		      "X-Forwarded-Hosts: 1\r\nX-Forwarded-Hort: 2\r\n"
		      "X-Forwarded-Suffix: 3\r\nForwardee: 4\r\n\r\n",
		&plain),
	    "GET / HTTP/1.1\r\nHost: h\r\nX-Forwarded-Hosts: 1\r\n"
	    "X-Forwarded-Hort: 2\r\nX-Forwarded-Suffix: 3\r\n"
	    "Forwardee: 4\r\n" TAIL "\r\n");
}

static void
words_of_a_trusted_proxy_pass(void **state)
{
	static const struct {
		const char *given, *passed;
	} cases[] = {
	    {CLAIMS, "X-Forwarded-Host: evil\r\nX-FORWARDED-PORT: 1\r\n"
		     "X-Forwarded-Prefix: /p\r\n"
		     "Forwarded: for=6.6.6.6;proto=https\r\n"
		     "X-Real-IP: 2.2.2.2\r\n"
		     "X-Forwarded-For: 1.1.1.1, 2.2.2.2, 10.0.0.9\r\n"
		     "X-Forwarded-Proto: https\r\n"},
	    /* The proxy may have passed on the client's Connection. */
	    {"Connection: X-Forwarded-For, X-Forwarded-Proto\r\n"
	     "X-Forwarded-For: 2.2.2.2\r\nX-Forwarded-Proto: https\r\n",
		"X-Real-IP: 2.2.2.2\r\nX-Forwarded-For: 2.2.2.2, 10.0.0.9\r\n"
		"X-Forwarded-Proto: https\r\n"},
	    {"X-Forwarded-For:\r\nX-Forwarded-Proto:\r\n",
		"X-Real-IP: 2.2.2.2\r\nX-Forwarded-For: 10.0.0.9\r\n"
		"X-Forwarded-Proto: http\r\n"},
	    {"X-Forwarded-Proto: https\r\nX-Forwarded-Proto:\r\n"
	     "X-Forwarded-Proto: http\r\n",
		"X-Real-IP: 2.2.2.2\r\nX-Forwarded-For: 10.0.0.9\r\n"
		"X-Forwarded-Proto: https, http\r\n"},
	    {"", "X-Real-IP: 2.2.2.2\r\nX-Forwarded-For: 10.0.0.9\r\n"
		 "X-Forwarded-Proto: http\r\n"},
	};
	char text[1024], expected[1024];

	(void)state;
	client = "2.2.2.2";
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		snprintf(text, sizeof(text),
		    "GET / HTTP/1.1\r\nHost: h\r\n%s\r\n", cases[i].given);
		snprintf(expected, sizeof(expected),
		    "GET / HTTP/1.1\r\nHost: h\r\n%s" NAMES "\r\n",
		    cases[i].passed);
		assert_string_equal(forwarded(text, &plain), expected);
	}
	client = NULL;
}

/* "unix:" would end the chain for the next reader. */
static void
a_trusted_unix_socket_has_no_address_to_append(void **state)
{
	(void)state;
	client = "2.2.2.2";
	peer = "unix:";
	assert_non_null(strstr(forwarded("GET / HTTP/1.1\r\nHost: h\r\n"
					 "X-Forwarded-For: 2.2.2.2\r\n\r\n",
				   &plain),
	    "\r\nX-Forwarded-For: 2.2.2.2\r\n"));
	client = peer;
	assert_non_null(
	    strstr(forwarded("GET / HTTP/1.1\r\nHost: h\r\n\r\n", &plain),
		"\r\nX-Forwarded-For: unix:\r\n"));
	client = NULL;
	peer = "10.0.0.9";
}

static void
a_request_loses_names_that_shadow_others(void **state)
{
	(void)state;
	assert_string_equal(
	    forwarded("GET / HTTP/1.1\r\nHost: h\r\nX_Real_IP: 6.6.6.6\r\n"
		      "x_forwarded-for: 1.1.1.1\r\nX-Forwarded_Proto: https\r\n"
		      "X_Forwarded_Host: evil\r\nX-Forwarded_Port: 1\r\n"
		      "X_Forwarded_Prefix: /p\r\n"
		      "X_REQUEST_ID: 1\r\nContent_Length: 7\r\n"
		      "Transfer_Encoding: chunked\r\nProxy_Authorization: x\r\n"
		      "X_Real_IQ: 1\r\nMy_Own: 2\r\n\r\n",
		&plain),
	    "GET / HTTP/1.1\r\nHost: h\r\nX_Real_IQ: 1\r\nMy_Own: 2\r\n" TAIL
	    "\r\n");
}

static void
bodies_are_framed_anew(void **state)
{
	(void)state;
	assert_string_equal(
	    forwarded("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n"
		      "Expect: 100-continue\r\n\r\nab",
		&plain),
	    "POST / HTTP/1.1\r\nHost: h\r\n" TAIL "Expect: 100-continue\r\n"
	    "Content-Length: 2\r\n\r\n");
	assert_string_equal(
	    forwarded("POST / HTTP/1.1\r\nHost: h\r\n"
		      "transfer-encoding: Chunked\r\n\r\n0\r\n\r\n",
		&plain),
	    "POST / HTTP/1.1\r\nHost: h\r\n" TAIL
	    "Transfer-Encoding: chunked\r\n\r\n");
}

static void
nominated_framing_can_not_be_dropped(void **state)
{
	(void)state;
	/* Connection names Content-Length: still framed, by us. */
	assert_string_equal(forwarded("POST / HTTP/1.1\r\nHost: h\r\n"
				      "Connection: content-length, host\r\n"
				      "Content-Length: 2\r\n\r\nab",
				&plain),
	    "POST / HTTP/1.1\r\nHost: h\r\n" TAIL "Content-Length: 2\r\n\r\n");
}

static void
http_1_0_gets_a_host(void **state)
{
	(void)state;
	assert_string_equal(forwarded("GET / HTTP/1.0\r\n\r\n", &plain),
	    "GET / HTTP/1.1\r\nHost: users\r\nX-Real-IP: 10.0.0.9\r\n"
	    "X-Forwarded-For: 10.0.0.9\r\nX-Forwarded-Proto: http\r\n"
	    "X-Request-Id: id1\r\ntraceparent: " PARENT "\r\n"
	    "Via: 1.0 drover\r\n\r\n");
}

static void
absolute_form_becomes_origin_form(void **state)
{
	(void)state;
	assert_string_equal(
	    forwarded("GET http://real:81/p?q HTTP/1.1\r\nHost: other\r\n\r\n",
		&plain),
	    "GET /p?q HTTP/1.1\r\nHost: real:81\r\n" TAIL "\r\n");
}

static void
prefixes_are_rewritten(void **state)
{
	static const struct {
		const char *path, *rewrite, *in, *out;
	} cases[] = {
	    {"/api/users", "/users", "/api/users", "/users"},
	    {"/api/users", "/users", "/api/users/7?x=1", "/users/7?x=1"},
	    {"/api/users", "/users", "/api/users?x=1", "/users?x=1"},
	    {"/api", "/", "/api/users", "/users"},
	    {"/api", "/", "/api", "/"},
	    {"/api", "/", "/api?x", "/?x"},
	    {"/api/", "/v2", "/api/users", "/v2/users"},
	    {"/api/", "/", "/api/users", "/users"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct config_route route = {
		    .path = (char *)(uintptr_t)cases[i].path,
		    .rewrite = (char *)(uintptr_t)cases[i].rewrite};
		char text[256], expected[256];

		snprintf(text, sizeof(text),
		    "GET %s HTTP/1.1\r\nHost: h\r\n\r\n", cases[i].in);
		snprintf(expected, sizeof(expected),
		    "GET %s HTTP/1.1\r\nHost: h\r\n" TAIL "\r\n", cases[i].out);
		assert_string_equal(forwarded(text, &route), expected);
	}
}

static void
says_when_it_does_not_fit(void **state)
{
	struct forward_request request = {.head = &message.head,
	    .route = &plain,
	    .peer = "::1",
	    .host = "h",
	    .trace = &trace};
	struct fields f;

	(void)state;
	read_message("GET / HTTP/1.1\r\nHost: h\r\n\r\n", false);
	fields_init(&f, out, 40);
	forward_request(&f, &request);
	assert_true(fields_are_full(&f));
}

/* The gateway alone sets these names: received fields of the names do not pass.
 */
static void
names_of_the_request(void **state)
{
	static const char given[] =
	    "GET / HTTP/1.1\r\nHost: h\r\nX-Request-Id: theirs\r\n"
	    "traceparent: 00-0\r\ntracestate: a=b\r\nVia: 1.0 a\r\n\r\n";

	(void)state;
	assert_string_equal(forwarded(given, &plain),
	    "GET / HTTP/1.1\r\nHost: h\r\nVia: 1.0 a\r\n" TAIL "\r\n");
	trace.parent_is_new = false;
	assert_non_null(
	    strstr(forwarded(given, &plain), "tracestate: a=b\r\n"));
	assert_null(strstr(out, "00-0"));
	/* Of a later version: unchanged. */
	trace.parent[0] = '\0';
	assert_non_null(
	    strstr(forwarded(given, &plain), "traceparent: 00-0\r\n"));
	memcpy(trace.parent, PARENT, sizeof(PARENT));
	trace.parent_is_new = true;
}

static void
wishes_of_the_connection(void **state)
{
	(void)state;
	assert_string_equal(
	    forwarded("GET / HTTP/1.1\r\nHost: h\r\nConnection: upgrade, te\r\n"
		      "Upgrade: h2c, WebSocket\r\nTE: trailers\r\n\r\n",
		&plain),
	    "GET / HTTP/1.1\r\nHost: h\r\n" TAIL
	    "Connection: Upgrade, TE\r\nUpgrade: WebSocket\r\n"
	    "TE: trailers\r\n\r\n");
	assert_string_equal(
	    forwarded("GET / HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\n"
		      "Upgrade: foo/2,,h2c, bar\r\nUpgrade: H2, WebSocket\r\n"
		      "\r\n",
		&plain),
	    "GET / HTTP/1.1\r\nHost: h\r\n" TAIL "Connection: Upgrade\r\n"
	    "Upgrade: foo/2, bar, WebSocket\r\n\r\n");
	assert_memory_equal(
	    protocols.at, "foo/2, bar, WebSocket\r", protocols.len + 1);
	assert_string_equal(
	    forwarded(
		"GET / HTTP/1.1\r\nHost: h\r\nTE: trailers\r\n\r\n", &plain),
	    "GET / HTTP/1.1\r\nHost: h\r\n" TAIL
	    "Connection: TE\r\nTE: trailers\r\n\r\n");
	assert_null(protocols.at);
}

static void
an_upgrade_with_a_body_passes_where_the_route_says_so(void **state)
{
	static const char text[] = "POST / HTTP/1.1\r\nHost: h\r\n"
				   "Connection: upgrade\r\nUpgrade: tcp\r\n"
				   "Content-Length: 1\r\n\r\na";
	const struct config_route route = {
	    .path = (char *)(uintptr_t)"/", .upgrade_body = true};

	(void)state;
	assert_null(strstr(forwarded(text, &plain), "pgrade"));
	assert_null(protocols.at);
	assert_non_null(strstr(forwarded(text, &route),
	    "\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n"));
	assert_memory_equal(protocols.at, "tcp\r", protocols.len + 1);
}

static void
max_forwards_is_counted_down(void **state)
{
	(void)state;
	assert_string_equal(
	    forwarded(
		"OPTIONS * HTTP/1.1\r\nHost: h\r\nMax-Forwards: 3\r\n\r\n",
		&(struct config_route){.path = (char *)(uintptr_t)"/",
		    .rewrite = (char *)(uintptr_t)"/v1"}),
	    "OPTIONS * HTTP/1.1\r\nHost: h\r\nMax-Forwards: 2\r\n" TAIL "\r\n");
	/* An ordinary header for other methods. */
	assert_string_equal(
	    forwarded(
		"GET / HTTP/1.1\r\nHost: h\r\nMax-Forwards: x\r\n\r\n", &plain),
	    "GET / HTTP/1.1\r\nHost: h\r\nMax-Forwards: x\r\n" TAIL "\r\n");
}

static void
trailers_that_frame_or_authenticate_are_dropped(void **state)
{
	static const char lines[] =
	    "X-Sum: 1\r\nContent-Length: 5\r\nhost: h\r\nSet-Cookie: a\r\n"
	    "Transfer-Encoding: chunked\r\nX-Forwarded-For: 6\r\nX-Empty:\r\n";
	struct fields f;

	(void)state;
	fields_init(&f, out, sizeof(out) - 1);
	forward_trailers(
	    &f, &message.head, (struct slice){lines, sizeof(lines) - 1});
	out[f.lines.len] = '\0';
	assert_string_equal(out, "X-Sum: 1\r\nX-Empty:\r\n");
}

/* Only a backend that is a CGI maps names. */
static void
trailers_that_shadow_others_are_dropped_from_requests(void **state)
{
	static const char lines[] =
	    "X_Real_IP: 6\r\nContent_length: 5\r\nX_FORWARDED_FOR: 6\r\n"
	    "X_Sum: 1\r\n";
	struct fields f;

	(void)state;
	read_message("POST / HTTP/1.1\r\nHost: h\r\n"
		     "Transfer-Encoding: chunked\r\n\r\n",
	    false);
	fields_init(&f, out, sizeof(out) - 1);
	forward_trailers(
	    &f, &message.head, (struct slice){lines, sizeof(lines) - 1});
	out[f.lines.len] = '\0';
	assert_string_equal(out, "X_Sum: 1\r\n");
	read_message(
	    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", true);
	fields_init(&f, out, sizeof(out) - 1);
	forward_trailers(
	    &f, &message.head, (struct slice){lines, sizeof(lines) - 1});
	out[f.lines.len] = '\0';
	assert_string_equal(out, lines);
}

/* No line grows. Lines without room are dropped whole. */
static void
trailers_that_do_not_fit_are_left_out(void **state)
{
	static const char lines[] = "A:1\r\nB:2\r\nC:3\r\n";
	struct fields f;

	(void)state;
	fields_init(&f, out, 12);
	forward_trailers(
	    &f, &message.head, (struct slice){lines, sizeof(lines) - 1});
	out[f.lines.len] = '\0';
	assert_string_equal(out, "A:1\r\nB:2\r\n");
}

static void
trailers_that_connection_names_are_dropped(void **state)
{
	static const char lines[] = "X-Foo: 1\r\nX-Bar: 2\r\n";
	struct fields f;

	(void)state;
	read_message("POST / HTTP/1.1\r\nHost: h\r\nConnection: x-foo\r\n"
		     "Transfer-Encoding: chunked\r\n\r\n",
	    false);
	fields_init(&f, out, sizeof(out) - 1);
	forward_trailers(
	    &f, &message.head, (struct slice){lines, sizeof(lines) - 1});
	out[f.lines.len] = '\0';
	assert_string_equal(out, "X-Bar: 2\r\n");
}

/* No other name: not one of some thousand. */
static void
trailers_that_connection_does_not_name_go_on(void **state)
{
	char line[32];
	struct fields f;

	(void)state;
	read_message(
	    "POST / HTTP/1.1\r\nHost: h\r\nConnection: keep-alive, TE, "
	    "X-Foo\r\nTransfer-Encoding: chunked\r\n\r\n",
	    false);
	for (int i = 0; i < 4000; i++) {
		int len = snprintf(line, sizeof(line), "X-%d: 1\r\n", i);

		fields_init(&f, out, sizeof(out) - 1);
		forward_trailers(
		    &f, &message.head, (struct slice){line, (size_t)len});
		out[f.lines.len] = '\0';
		assert_string_equal(out, line);
	}
}

static void
trailers_behind_too_many_names_are_dropped(void **state)
{
	static const char line[] = "X-Foo: 1\r\n";
	struct fields f;

	(void)state;
	read_message(
	    "POST / HTTP/1.1\r\nHost: h\r\nConnection: a,b,c,d,e,f,g,h,i\r\n"
	    "Transfer-Encoding: chunked\r\n\r\n",
	    false);
	fields_init(&f, out, sizeof(out) - 1);
	forward_trailers(
	    &f, &message.head, (struct slice){line, sizeof(line) - 1});
	assert_int_equal(f.lines.len, 0);
}

static void
switching_protocols(void **state)
{
	struct fields f;

	(void)state;
	read_message("HTTP/1.1 101 S\r\nConnection: Upgrade, X-Hop\r\n"
		     "X-Hop: 1\r\nUpgrade: websocket\r\nX-Key: 2\r\n\r\n",
	    true);
	fields_init(&f, out, sizeof(out) - 1);
	forward_switch(&f, &message.head);
	out[f.lines.len] = '\0';
	assert_string_equal(out,
	    "X-Key: 2\r\nVia: 1.1 drover\r\n"
	    "Connection: Upgrade\r\nUpgrade: websocket\r\n");
}

static void
responses_keep_what_is_end_to_end(void **state)
{
	struct fields f;

	(void)state;
	read_message("HTTP/1.1 200 OK\r\nServer: s\r\nConnection: X-Hop\r\n"
		     "X-Hop: 1\r\nContent-Length: 0\r\nSet-Cookie: a\r\n"
		     "Set-Cookie: b\r\nKeep-Alive: 1\r\nTrailer: X-Sum\r\n"
		     "Via: 1.1 up\r\n\r\n",
	    true);
	fields_init(&f, out, sizeof(out) - 1);
	forward_response(&f, &message.head, true);
	out[f.lines.len] = '\0';
	assert_string_equal(out, "Server: s\r\nSet-Cookie: a\r\n"
				 "Set-Cookie: b\r\nTrailer: X-Sum\r\n"
				 "Via: 1.1 up\r\nVia: 1.1 drover\r\n");
	fields_init(&f, out, sizeof(out) - 1);
	forward_response(&f, &message.head, false);
	out[f.lines.len] = '\0';
	assert_null(strstr(out, "Trailer"));
	assert_false(message.head.has_date);
	read_message(
	    "HTTP/1.1 200 OK\r\nDate: x\r\nContent-Length: 0\r\n\r\n", true);
	assert_true(message.head.has_date);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_plain_request),
	    cmocka_unit_test(no_hop_by_hop),
	    cmocka_unit_test(addresses_are_ours_and_the_chain_is_kept),
	    cmocka_unit_test(a_request_loses_names_that_shadow_others),
	    cmocka_unit_test(nothing_is_believed_of_a_stranger),
	    cmocka_unit_test(words_of_a_trusted_proxy_pass),
	    cmocka_unit_test(a_trusted_unix_socket_has_no_address_to_append),
	    cmocka_unit_test(bodies_are_framed_anew),
	    cmocka_unit_test(nominated_framing_can_not_be_dropped),
	    cmocka_unit_test(http_1_0_gets_a_host),
	    cmocka_unit_test(absolute_form_becomes_origin_form),
	    cmocka_unit_test(prefixes_are_rewritten),
	    cmocka_unit_test(says_when_it_does_not_fit),
	    cmocka_unit_test(names_of_the_request),
	    cmocka_unit_test(wishes_of_the_connection),
	    cmocka_unit_test(
		an_upgrade_with_a_body_passes_where_the_route_says_so),
	    cmocka_unit_test(max_forwards_is_counted_down),
	    cmocka_unit_test(trailers_that_frame_or_authenticate_are_dropped),
	    cmocka_unit_test(
		trailers_that_shadow_others_are_dropped_from_requests),
	    cmocka_unit_test(trailers_that_do_not_fit_are_left_out),
	    cmocka_unit_test(trailers_that_connection_names_are_dropped),
	    cmocka_unit_test(trailers_that_connection_does_not_name_go_on),
	    cmocka_unit_test(trailers_behind_too_many_names_are_dropped),
	    cmocka_unit_test(switching_protocols),
	    cmocka_unit_test(responses_keep_what_is_end_to_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
