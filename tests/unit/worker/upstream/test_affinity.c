/* Goal: what a request is tied by: its address, path, header, cookie or
 * parameter, and the sticky cookie, which names endpoints the same way
 * everywhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "affinity.h"
#include "parser.h"

/* Of "10.0.0.1:3000", worked out by another program. */
#define ENDPOINT UINT64_C(0x88f52a5ce7775b4e)

static struct affinity
affinity_of(
    const struct config_service *service, const char *text, const char *peer)
{
	static const struct path_rules rules;
	static char data[4096], room[4096];
	static struct parser m;
	const struct parser_limits limits = {
	    .head_bytes = sizeof(data), .target_bytes = sizeof(data)};
	struct affinity a = {1, 1};
	size_t len = strlen(text);

	assert_true(len < sizeof(data));
	memcpy(data, text, len + 1);
	parser_init_request(&m, &limits, &rules, room);
	parser_feed(&m, data, len);
	assert_true(m.head_done);
	affinity_of_request(&a, service, &m.head, peer);
	return a;
}

static uint64_t
hash_of(const struct config_service *service, const char *text)
{
	struct affinity a = affinity_of(service, text, "192.0.2.7");

	assert_int_equal(a.sticky, 0);
	return a.hash;
}

/* The hash of all requests without the key. */
static uint64_t
hash_of_peer(void)
{
	const struct config_service by_address = {
	    .policy = CONFIG_POLICY_IP_HASH};

	return hash_of(&by_address, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
}

static void
ip_hash_goes_by_the_address(void **state)
{
	const struct config_service s = {.policy = CONFIG_POLICY_IP_HASH};
	const char *other = "GET /b HTTP/1.1\r\nHost: b\r\nX: y\r\n\r\n";

	(void)state;
	assert_int_equal(hash_of_peer(), UINT64_C(0x6053c3970e6a076d));
	assert_int_equal(hash_of(&s, other), hash_of_peer());
	assert_int_not_equal(
	    affinity_of(&s, other, "192.0.2.8").hash, hash_of_peer());
}

static void
other_policies_have_no_key(void **state)
{
	const struct config_service s = {.policy = CONFIG_POLICY_LEAST_CONN};

	(void)state;
	assert_int_equal(hash_of(&s, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"), 0);
}

static void
a_path_is_without_its_query(void **state)
{
	const struct config_service s = {
	    .policy = CONFIG_POLICY_CONSISTENT_HASH,
	    .hash = {.on = CONFIG_HASH_PATH}};
	uint64_t a = hash_of(&s, "GET /a HTTP/1.1\r\nHost: a\r\n\r\n");

	(void)state;
	assert_int_equal(a, UINT64_C(0xe37fd2b7554830fb));
	assert_int_equal(
	    hash_of(&s, "GET /a?b=c HTTP/1.1\r\nHost: a\r\n\r\n"), a);
	assert_int_equal(hash_of(&s, "POST http://x/a HTTP/1.1\r\nHost: x\r\n"
				     "Content-Length: 0\r\n\r\n"),
	    a);
	assert_int_not_equal(
	    hash_of(&s, "GET /a/ HTTP/1.1\r\nHost: a\r\n\r\n"), a);
}

/* Each kind of key: two requests that share it, one with another, and those
 * that do not have it, or have it empty. */
static void
keys(void **state)
{
	static const struct {
		enum config_hash_on on;
		const char *one, *same, *other, *empty;
	} cases[] = {
	    {CONFIG_HASH_HEADER, "GET /1 HTTP/1.1\r\nHost: a\r\nKey: v\r\n\r\n",
		"GET /2 HTTP/1.1\r\nHost: a\r\nkEY:  v \r\n\r\n",
		"GET /1 HTTP/1.1\r\nHost: a\r\nKey: w\r\n\r\n",
		"GET /1 HTTP/1.1\r\nHost: a\r\nKey:\r\n\r\n"},
	    {CONFIG_HASH_COOKIE,
		"GET /1 HTTP/1.1\r\nHost: a\r\nCookie: key=v\r\n\r\n",
		"GET /2 HTTP/1.1\r\nHost: a\r\nCookie: a=b; key=v; c=d\r\n\r\n",
		"GET /1 HTTP/1.1\r\nHost: a\r\nCookie: key=w\r\n\r\n",
		"GET /1 HTTP/1.1\r\nHost: a\r\nCookie: key=; xkey=v\r\n\r\n"},
	    {CONFIG_HASH_QUERY, "GET /1?key=v HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET /2?a=b&key=v&c=d HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET /1?key=w HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET /1?key=&xkey=v HTTP/1.1\r\nHost: a\r\n\r\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct config_service s = {
		    .policy = CONFIG_POLICY_CONSISTENT_HASH,
		    .hash = {
			.on = cases[i].on, .name = (char *)(uintptr_t)"key"}};
		uint64_t one = hash_of(&s, cases[i].one);

		assert_int_equal(hash_of(&s, cases[i].same), one);
		assert_int_not_equal(hash_of(&s, cases[i].other), one);
		assert_int_not_equal(hash_of_peer(), one);
		assert_int_equal(hash_of(&s, cases[i].empty), hash_of_peer());
		assert_int_equal(
		    hash_of(&s, "GET /key=v HTTP/1.1\r\nHost: a\r\n\r\n"),
		    hash_of_peer());
	}
}

static void
a_sticky_cookie_is_read_back(void **state)
{
	const struct config_service s = {
	    .sticky_cookie = (char *)(uintptr_t)"lb"};
	char data[256], request[512];
	struct fields f;

	(void)state;
	assert_int_equal(affinity_number("10.0.0.1:3000"), ENDPOINT);
	fields_init(&f, data, sizeof(data) - 1);
	affinity_add_cookie(&f, &s, ENDPOINT);
	assert_false(fields_are_full(&f));
	data[f.lines.len] = '\0';
	assert_string_equal(data,
	    "Set-Cookie: lb=88f52a5ce7775b4e; Path=/; HttpOnly; "
	    "SameSite=Lax\r\n");
	/* As a browser sends it: name and value alone. */
	*strchr(data, ';') = '\0';
	snprintf(request, sizeof(request),
	    "GET / HTTP/1.1\r\nHost: a\r\nCookie: x=y; %s; z=1\r\n\r\n",
	    strchr(data, ' ') + 1);
	assert_int_equal(affinity_of(&s, request, "::1").sticky, ENDPOINT);
}

static void
small_numbers_keep_their_zeros(void **state)
{
	const struct config_service s = {
	    .sticky_cookie = (char *)(uintptr_t)"lb"};
	char data[256];
	struct fields f;

	(void)state;
	fields_init(&f, data, sizeof(data) - 1);
	affinity_add_cookie(&f, &s, 1);
	data[f.lines.len] = '\0';
	assert_non_null(strstr(data, "lb=0000000000000001;"));
	assert_int_equal(affinity_of(&s,
			     "GET / HTTP/1.1\r\nHost: a\r\n"
			     "Cookie: lb=0000000000000001\r\n\r\n",
			     "::1")
			     .sticky,
	    1);
}

static void
what_we_did_not_write_is_no_cookie(void **state)
{
	static const char *const values[] = {"", "lb=", "lb=88f52a5ce7775b4",
	    "lb=88f52a5ce7775b4e0", "lb=88F52A5CE7775B4E",
	    "lb=88f52a5ce7775b4g", "lb=0x8f52a5ce7775b4e",
	    "lb=0000000000000000", "LB=88f52a5ce7775b4e",
	    "xlb=88f52a5ce7775b4e", "lb=\"88f52a5ce7775b4e\""};
	const struct config_service s = {
	    .sticky_cookie = (char *)(uintptr_t)"lb"};
	const struct config_service none = {0};
	char request[256];

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		snprintf(request, sizeof(request),
		    "GET / HTTP/1.1\r\nHost: a\r\nCookie: %s\r\n\r\n",
		    values[i]);
		assert_int_equal(affinity_of(&s, request, "::1").sticky, 0);
	}
	/* A service without sticky_cookie does not look. */
	assert_int_equal(affinity_of(&none,
			     "GET / HTTP/1.1\r\nHost: a\r\n"
			     "Cookie: lb=88f52a5ce7775b4e\r\n\r\n",
			     "::1")
			     .sticky,
	    0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(ip_hash_goes_by_the_address),
	    cmocka_unit_test(other_policies_have_no_key),
	    cmocka_unit_test(a_path_is_without_its_query),
	    cmocka_unit_test(keys),
	    cmocka_unit_test(a_sticky_cookie_is_read_back),
	    cmocka_unit_test(small_numbers_keep_their_zeros),
	    cmocka_unit_test(what_we_did_not_write_is_no_cookie),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
