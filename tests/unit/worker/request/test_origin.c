/* Goal: behind trusted proxies the client is found, whatever a client has put
 * in front of their words; of a stranger no word counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "origin.h"
#include "parser.h"

static struct cidr networks[3];
static const struct origin_trust trust = {networks, 3};

static int
setup(void **state)
{
	(void)state;
	return cidr_parse(&networks[0], "10.0.0.0/8") == -1 ||
	       cidr_parse(&networks[1], "fd00::/8") == -1 ||
	       cidr_parse(&networks[2], "unix") == -1;
}

/* The client's address as text; NULL: the peer is not trusted. */
static const char *
client_of(const char *peer, const char *fields)
{
	static const struct path_rules rules;
	static char bytes[2048], room[2048], text[SOCK_TEXT_MAX];
	static struct parser m;
	struct sock_host host = {.family = AF_UNIX}, client;
	int len = snprintf(bytes, sizeof(bytes),
	    "GET / HTTP/1.1\r\nHost: h\r\n%s\r\n", fields);

	parser_init_request(&m,
	    &(struct parser_limits){sizeof(bytes), sizeof(bytes), 0}, &rules,
	    room);
	assert_in_range(len, 1, sizeof(bytes) - 1);
	assert_int_equal(parser_feed(&m, bytes, (size_t)len), len);
	assert_int_equal(m.error, PARSER_NONE);
	if (strcmp(peer, "unix") != 0)
		assert_int_equal(
		    sock_host_parse(&host, (struct slice){peer, strlen(peer)}),
		    0);
	if (!origin_of_request(&client, &trust, &host, &m.head))
		return NULL;
	return sock_host_str(&client, text);
}

/* A stranger's elements cost work for each, behind a trusted proxy too. */
static void
only_the_last_elements_are_read(void **state)
{
	char fields[512] = "X-Forwarded-For: 1.1.1.1";

	(void)state;
	for (int i = 1; i < 32; i++)
		strcat(fields, ",10.0.0.1");
	strcat(fields, "\r\n");
	assert_string_equal(client_of("10.0.0.9", fields), "1.1.1.1");
	fields[strlen(fields) - 2] = '\0';
	strcat(fields, ",10.0.0.2\r\n");
	assert_string_equal(client_of("10.0.0.9", fields), "10.0.0.1");
}

struct origin_case {
	const char *fields, *client;
};

static void
check(const struct origin_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const char *client = client_of("10.0.0.9", cases[i].fields);

		if (client == NULL || strcmp(client, cases[i].client) != 0)
			fail_msg("%s: %s, not %s", cases[i].fields, client,
			    cases[i].client);
	}
}
#define CHECK_CASES(cases) check(cases, sizeof(cases) / sizeof(*(cases)))

#define XFF "X-Forwarded-For: "

static void
forwarded_for(void **state)
{
	static const struct origin_case cases[] = {
	    {"", "10.0.0.9"},
	    {XFF "1.1.1.1\r\n", "1.1.1.1"},
	    {XFF "6.6.6.6, 1.1.1.1\r\n", "1.1.1.1"},
	    {XFF "6.6.6.6,1.1.1.1 ,\t10.0.0.1,10.0.0.2\r\n", "1.1.1.1"},
	    {XFF "6.6.6.6\r\nx-forwarded-for: 1.1.1.1\r\n" XFF "10.0.0.1\r\n",
		"1.1.1.1"},
	    /* All are trusted: the leftmost. */
	    {XFF "10.1.1.1, 10.0.0.1\r\n", "10.1.1.1"},
	    /* Empty ones do not count. */
	    {XFF "\r\n", "10.0.0.9"},
	    {XFF ", 1.1.1.1,, ,\r\n" XFF "\r\n", "1.1.1.1"},
	    /* Ports, brackets, IPv6. */
	    {XFF "1.1.1.1:4711\r\n", "1.1.1.1"},
	    {XFF "2001:DB8::1\r\n", "2001:db8::1"},
	    {XFF "[2001:db8::1]\r\n", "2001:db8::1"},
	    {XFF "[2001:db8::1]:4711\r\n", "2001:db8::1"},
	    {XFF "\"[2001:db8::1]:4711\"\r\n", "2001:db8::1"},
	    {XFF "::ffff:1.1.1.1\r\n", "1.1.1.1"},
	    {XFF "1.1.1.1, [fd00::7]:1, ::ffff:10.0.0.1\r\n", "1.1.1.1"},
	    {XFF "2001:db8::1:80\r\n", "2001:db8::1:80"},
	    /* The list ends where an element is no address. */
	    {XFF "1.1.1.1, unknown\r\n", "10.0.0.9"},
	    {XFF "1.1.1.1, unknown, 10.0.0.1\r\n", "10.0.0.1"},
	    {XFF "1.1.1.1, unknown, 2.2.2.2, 10.0.0.1\r\n", "2.2.2.2"},
	    {XFF "garbage\r\n", "10.0.0.9"},
	    {XFF "_hidden, 2.2.2.2\r\n", "2.2.2.2"},
	    {XFF "1.1.1.1;2.2.2.2\r\n", "10.0.0.9"},
	    {XFF "1.1.1\r\n", "10.0.0.9"},
	    {XFF "1.1.1.256\r\n", "10.0.0.9"},
	    {XFF "01.1.1.1\r\n", "10.0.0.9"},
	    {XFF "1.1.1.1:\r\n", "10.0.0.9"},
	    {XFF "1.1.1.1:x\r\n", "10.0.0.9"},
	    {XFF "1.1.1.1:123456\r\n", "10.0.0.9"},
	    {XFF "[1.1.1.1]\r\n", "10.0.0.9"},
	    {XFF "[2001:db8::1\r\n", "10.0.0.9"},
	    {XFF "[2001:db8::1]x\r\n", "10.0.0.9"},
	    {XFF "[2001:db8::1]:\r\n", "10.0.0.9"},
	    {XFF "[]\r\n", "10.0.0.9"},
	    {XFF "[\r\n", "10.0.0.9"},
	    {XFF "\"\r\n", "10.0.0.9"},
	    {XFF "\"\"\r\n", "10.0.0.9"},
	    {XFF ":\r\n", "10.0.0.9"},
	    {XFF "fe80::1%eth0\r\n", "10.0.0.9"},
	    {XFF "http://1.1.1.1/\r\n", "10.0.0.9"},
	    {XFF "00000000000000000000000000000000000000000000000001\r\n",
		"10.0.0.9"},
	    /* Connection can't name the field away. */
	    {"Connection: X-Forwarded-For\r\n" XFF "1.1.1.1\r\n", "1.1.1.1"},
	};

	(void)state;
	CHECK_CASES(cases);
}

#define FWD "Forwarded: "

static void
forwarded(void **state)
{
	static const struct origin_case cases[] = {
	    {FWD "for=1.1.1.1\r\n", "1.1.1.1"},
	    {FWD "For=\"1.1.1.1:80\";proto=https\r\n", "1.1.1.1"},
	    {FWD "proto=https;by=10.0.0.9;for=1.1.1.1 ; host=a\r\n", "1.1.1.1"},
	    {FWD "for=\"[2001:db8::1]:4711\"\r\n", "2001:db8::1"},
	    {FWD "for=\"[2001:db8::1]:_p\"\r\n", "2001:db8::1"},
	    {FWD "for=6.6.6.6, for=1.1.1.1, for=10.0.0.1\r\n", "1.1.1.1"},
	    {FWD "for=6.6.6.6\r\n" FWD "for=1.1.1.1\r\n", "1.1.1.1"},
	    {FWD ", for=1.1.1.1, ,\r\n", "1.1.1.1"},
	    /* Commas and semicolons inside of quotes separate nothing. */
	    {FWD "host=\"a,for=6.6.6.6;for=6.6.6.6\";for=1.1.1.1\r\n",
		"1.1.1.1"},
	    {FWD "host=\"\\\",for=6.6.6.6\";for=1.1.1.1\r\n", "1.1.1.1"},
	    {FWD "for=6.6.6.6, host=\"a\r\n", "10.0.0.9"},
	    /* Elements without an address end the list. */
	    {FWD "for=6.6.6.6, for=unknown\r\n", "10.0.0.9"},
	    {FWD "for=6.6.6.6, for=_hidden, for=10.0.0.1\r\n", "10.0.0.1"},
	    {FWD "for=6.6.6.6, proto=https\r\n", "10.0.0.9"},
	    {FWD "for=\r\n", "10.0.0.9"},
	    {FWD ";;for=1.1.1.1;;\r\n", "1.1.1.1"},
	    {FWD "fo\r\n", "10.0.0.9"},
	    {FWD "before=1.1.1.1\r\n", "10.0.0.9"},
	    /* X-Forwarded-For goes first, whatever it says. */
	    {FWD "for=6.6.6.6\r\n" XFF "1.1.1.1\r\n", "1.1.1.1"},
	    {FWD "for=6.6.6.6\r\n" XFF "unknown\r\n", "10.0.0.9"},
	    {FWD "for=1.1.1.1\r\n" XFF "\r\n", "1.1.1.1"},
	};

	(void)state;
	CHECK_CASES(cases);
}

static void
peers(void **state)
{
	static const char fields[] = XFF "1.1.1.1\r\n";

	(void)state;
	assert_null(client_of("11.0.0.1", fields));
	assert_null(client_of("2001:db8::1", fields));
	assert_null(client_of("1.1.1.1", fields));
	assert_string_equal(client_of("fd00::1", fields), "1.1.1.1");
	assert_string_equal(client_of("::ffff:10.0.0.1", fields), "1.1.1.1");
	assert_string_equal(client_of("unix", fields), "1.1.1.1");
	assert_string_equal(client_of("unix", ""), "unix:");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(forwarded_for),
	    cmocka_unit_test(forwarded),
	    cmocka_unit_test(peers),
	    cmocka_unit_test(only_the_last_elements_are_read),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
