/* Goal: an address is either understood exactly or refused. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sock_addr.h"

static void
assert_addr(const char *text, const char *want)
{
	struct sock_addr addr;
	char buf[SOCK_TEXT_MAX];

	if (sock_addr_parse(&addr, text) == -1)
		fail_msg("%s was refused", text);
	assert_string_equal(sock_addr_str(&addr, buf), want);
}

static void
test_addresses(void **state)
{
	(void)state;
	assert_addr("127.0.0.1:80", "127.0.0.1:80");
	assert_addr("*:3000", "0.0.0.0:3000");
	assert_addr("10.1.2.3:65535", "10.1.2.3:65535");
	assert_addr("[::1]:80", "[::1]:80");
	assert_addr("[::]:0", "[::]:0");
	assert_addr("[2001:DB8:0:0::1]:443", "[2001:db8::1]:443");
	assert_addr("[::ffff:10.0.0.1]:1", "[::ffff:10.0.0.1]:1");
	assert_addr("[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535",
	    "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535");
	assert_addr("unix:/run/x.sock", "unix:/run/x.sock");
}

static void
test_wrong_addresses(void **state)
{
	static const char *const wrong[] = {"", ":", ":80", "127.0.0.1",
	    "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:99999999999999999999",
	    "127.0.0.1:-1", "127.0.0.1:+1", "127.0.0.1: 80", "127.0.0.1:80 ",
	    "127.0.0.1:8o", " 127.0.0.1:80", "127.0.0.256:80", "127.0.1:80",
	    "::1:80", "[::1]", "[::1:80", "::1]:80", "[]:80", "[*]:80",
	    "[127.0.0.1]:80", "[::g]:80", "localhost:80", "**:80",
	    "unix:", "unix:relative", "unix", "127.0.0.1:80:80"};
	struct sock_addr addr;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		errno = 0;
		if (sock_addr_parse(&addr, wrong[i]) != -1)
			fail_msg("\"%s\" was taken", wrong[i]);
		assert_int_equal(errno, EINVAL);
	}
}

static void
test_unix_path_has_a_limit(void **state)
{
	char text[sizeof("unix:") + 108];
	struct sock_addr addr;
	char buf[SOCK_TEXT_MAX];

	(void)state;
	memset(text, 'x', sizeof(text));
	memcpy(text, "unix:/", 6);
	text[5 + 107] = '\0';
	assert_int_equal(sock_addr_parse(&addr, text), 0);
	assert_string_equal(sock_addr_str(&addr, buf), text);
	text[5 + 107] = 'x';
	text[5 + 108] = '\0';
	assert_int_equal(sock_addr_parse(&addr, text), -1);
}

static void
test_names(void **state)
{
	static const struct {
		const char *text, *host;
		uint16_t port;
	} right[] = {{"localhost:80", "localhost", 80},
	    {"a.b-c.example:65535", "a.b-c.example", 65535},
	    {"user_service:3001", "user_service", 3001},
	    {"3com.example:1", "3com.example", 1},
	    {"10.0.0.1:80", "10.0.0.1", 80}, {"[::1]:80", "::1", 80},
	    {"example.:80", "example.", 80}};
	static const char *const wrong[] = {"", ":80", "localhost",
	    "localhost:", "localhost:http", "localhost:65536", "-a:80", "a-:80",
	    "a..b:80", ".a:80", "a.-b:80", "a-.b:80", "a b:80", "a/b:80",
	    "caf\xc3\xa9:80", "300.1.1.1:80", "127.0.0.1.5:80", "1:80",
	    "[localhost]:80", "::1:80", "a@b:80", "*:80"};
	struct sock_name name;

	(void)state;
	for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); i++) {
		if (sock_name_parse(&name, right[i].text) == -1)
			fail_msg("\"%s\" was refused", right[i].text);
		assert_string_equal(name.host, right[i].host);
		assert_int_equal(name.port, right[i].port);
	}
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		errno = 0;
		if (sock_name_parse(&name, wrong[i]) != -1)
			fail_msg("\"%s\" was taken", wrong[i]);
		assert_int_equal(errno, EINVAL);
	}
}

static void
test_name_lengths(void **state)
{
	char text[SOCK_HOST_MAX + 10];
	struct sock_name name;

	(void)state;
	/* A label has at most 63 characters, the whole at most 255. */
	memset(text, 'a', sizeof(text));
	strcpy(text + 63, ":1");
	assert_int_equal(sock_name_parse(&name, text), 0);
	memset(text, 'a', sizeof(text));
	strcpy(text + 64, ":1");
	assert_int_equal(sock_name_parse(&name, text), -1);
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = i % 50 == 49 ? '.' : 'a';
	strcpy(text + SOCK_HOST_MAX, ":1");
	assert_int_equal(sock_name_parse(&name, text), 0);
	assert_int_equal(strlen(name.host), SOCK_HOST_MAX);
	text[SOCK_HOST_MAX] = 'a';
	strcpy(text + SOCK_HOST_MAX + 1, ":1");
	assert_int_equal(sock_name_parse(&name, text), -1);
}

static void
test_equality_and_hash(void **state)
{
	static const char *const texts[] = {"127.0.0.1:80", "127.0.0.1:81",
	    "127.0.0.2:80", "[::1]:80", "[::1]:81", "[::2]:80",
	    "[::ffff:127.0.0.1]:80", "unix:/a", "unix:/b", "unix:/ab"};
	enum { N = sizeof(texts) / sizeof(texts[0]) };
	struct sock_addr a, b;

	(void)state;
	for (size_t i = 0; i < N; i++)
		for (size_t k = 0; k < N; k++) {
			/* Nothing but the address counts. */
			memset(&a, 0xaa, sizeof(a));
			memset(&b, 0x55, sizeof(b));
			assert_int_equal(sock_addr_parse(&a, texts[i]), 0);
			assert_int_equal(sock_addr_parse(&b, texts[k]), 0);
			assert_int_equal(sock_addr_equal(&a, &b), i == k);
			assert_int_equal(
			    sock_addr_hash(&a) == sock_addr_hash(&b), i == k);
			assert_true(sock_addr_hash(&a) != 0);
		}
}

static void
test_host_text(void **state)
{
	static const char *const rows[][2] = {
	    {"10.0.0.1:80", "10.0.0.1"},
	    {"255.254.199.100:1", "255.254.199.100"},
	    {"0.9.99.109:1", "0.9.99.109"},
	    {"[::1]:80", "::1"},
	    {"[2001:db8::ff00:42]:80", "2001:db8::ff00:42"},
	    {"unix:/x", "unix:"},
	};
	struct sock_addr addr;
	struct sock_host host;
	char buf[SOCK_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(sock_addr_parse(&addr, rows[i][0]), 0);
		host = sock_host_of(&addr);
		assert_string_equal(sock_host_str(&host, buf), rows[i][1]);
	}
	assert_int_equal(sock_addr_from_host(&addr, "localhost", 1), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(sock_addr_from_host(&addr, "", 1), -1);
}

static void
test_hosts(void **state)
{
	static const char *const rows[][2] = {
	    {"10.0.0.1", "10.0.0.1"},
	    {"::1", "::1"},
	    {"2001:DB8::1", "2001:db8::1"},
	    {"::ffff:10.0.0.1", "10.0.0.1"},
	    {"::10.0.0.1", "::10.0.0.1"},
	};
	static const char *const wrong[] = {"", "10.0.0", "10.0.0.256",
	    "10.0.0.1:80", "[::1]", "::1%lo", "localhost", " ::1",
	    "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000"};
	struct sock_host host;
	char buf[SOCK_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct slice text = {rows[i][0], strlen(rows[i][0])};

		assert_int_equal(sock_host_parse(&host, text), 0);
		(void)sock_host_unmap(&host);
		assert_string_equal(sock_host_str(&host, buf), rows[i][1]);
	}
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (sock_host_parse(&host,
			(struct slice){wrong[i], strlen(wrong[i])}) != -1)
			fail_msg("\"%s\" was taken", wrong[i]);
	/* No byte behind the text counts. */
	assert_int_equal(
	    sock_host_parse(&host, (struct slice){"10.0.0.12", 8}), 0);
	assert_string_equal(sock_host_str(&host, buf), "10.0.0.1");
	assert_int_equal(
	    sock_host_parse(&host, (struct slice){"10.0.0.1\0x", 10}), -1);
}

static void
test_overlaps(void **state)
{
	static const struct {
		const char *a, *b;
		bool overlap;
	} rows[] = {
	    {"127.0.0.1:80", "127.0.0.1:80", true},
	    {"127.0.0.1:80", "127.0.0.2:80", false},
	    {"0.0.0.0:80", "127.0.0.2:80", true},
	    {"0.0.0.0:80", "127.0.0.2:81", false},
	    {"0.0.0.0:80", "[::]:80", false},
	    {"0.0.0.0:80", "[::1]:80", false},
	    {"[::]:80", "[::1]:80", true},
	    {"[::]:80", "[::1]:81", false},
	    {"unix:/a", "unix:/a", true},
	    {"unix:/a", "unix:/b", false},
	    {"unix:/a", "0.0.0.0:80", false},
	};
	struct sock_addr a, b;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(sock_addr_parse(&a, rows[i].a), 0);
		assert_int_equal(sock_addr_parse(&b, rows[i].b), 0);
		assert_int_equal(sock_addr_overlaps(&a, &b), rows[i].overlap);
		assert_int_equal(sock_addr_overlaps(&b, &a), rows[i].overlap);
	}
}

static void
test_order(void **state)
{
	static const char *const texts[] = {"unix:/a", "unix:/b", "9.0.0.1:80",
	    "10.0.0.1:79", "10.0.0.1:80", "10.0.0.2:1", "200.0.0.1:80",
	    "[::1]:80", "[::1]:81", "[fd00::]:1"};
	enum { N = sizeof(texts) / sizeof(texts[0]) };
	struct sock_addr a, b;

	(void)state;
	for (int i = 0; i < N; i++)
		for (int k = 0; k < N; k++) {
			int n;

			assert_int_equal(sock_addr_parse(&a, texts[i]), 0);
			assert_int_equal(sock_addr_parse(&b, texts[k]), 0);
			n = sock_addr_compare(&a, &b);
			assert_int_equal((n > 0) - (n < 0), (i > k) - (i < k));
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_addresses),
	    cmocka_unit_test(test_wrong_addresses),
	    cmocka_unit_test(test_unix_path_has_a_limit),
	    cmocka_unit_test(test_names),
	    cmocka_unit_test(test_name_lengths),
	    cmocka_unit_test(test_equality_and_hash),
	    cmocka_unit_test(test_host_text),
	    cmocka_unit_test(test_hosts),
	    cmocka_unit_test(test_order),
	    cmocka_unit_test(test_overlaps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
