/* Goal: a Redis URL is read whole and decoded, or refused. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "redis_url.h"

static void
test_good(void **state)
{
	static const struct {
		const char *text;
		struct redis_url url;
		const char *str;
	} cases[] = {
	    {"redis://h", {.host = "h", .port = 6379}, "h:6379"},
	    {"redis://h/", {.host = "h", .port = 6379}, "h:6379"},
	    {"redis://127.0.0.1:1", {.host = "127.0.0.1", .port = 1},
		"127.0.0.1:1"},
	    {"redis://h:1/15", {.host = "h", .port = 1, .db = 15}, "h:1"},
	    {"redis://[::1]:7", {.host = "::1", .port = 7}, "[::1]:7"},
	    {"redis://[::1]", {.host = "::1", .port = 6379}, "[::1]:6379"},
	    {"redis://:pw@h", {.host = "h", .port = 6379, .password = "pw"},
		"h:6379"},
	    {"redis://u:p%40%3a%2Fw%25@h:1/2",
		{.host = "h",
		    .port = 1,
		    .db = 2,
		    .user = "u",
		    .password = "p@:/w%"},
		"h:1"},
	    {"redis://u:a@b:c@h",
		{.host = "h", .port = 6379, .user = "u", .password = "a@b:c"},
		"h:6379"},
	    {"redis://u%3Ax:@h", {.host = "h", .port = 6379, .user = "u:x"},
		"h:6379"},
	    {"unix:///run/r.sock", {.path = "/run/r.sock"}, "/run/r.sock"},
	    {"unix:///a%20b?db=3", {.path = "/a b", .db = 3}, "/a b"},
	};
	struct redis_url url;
	char buf[300];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(redis_url_parse(&url, cases[i].text), 0);
		assert_string_equal(url.host, cases[i].url.host);
		assert_string_equal(url.path, cases[i].url.path);
		assert_string_equal(url.user, cases[i].url.user);
		assert_string_equal(url.password, cases[i].url.password);
		assert_int_equal(url.port, cases[i].url.port);
		assert_int_equal(url.db, cases[i].url.db);
		assert_string_equal(
		    redis_url_str(&url, buf, sizeof(buf)), cases[i].str);
	}
}

static void
test_bad(void **state)
{
	static const char *const cases[] = {"", "h", "h:6379", "http://h",
	    "rediss://h", "redis:/h", "redis://", "redis:///0", "redis://:1",
	    "redis://h:", "redis://h:0", "redis://h:65536", "redis://h:x",
	    "redis://h:1/x", "redis://h:1/-1", "redis://h:1/65536",
	    "redis://h:1/1/2", "redis://h:1?db=1", "redis://h:1#f",
	    "redis://u@h", "redis://:%@h", "redis://:%4@h", "redis://:%zz@h",
	    "redis://:%00@h", "redis://::1", "redis://::1:5", "redis://[::1",
	    "redis://[h]:1", "redis://a b", "redis://a_-:1/ ", "unix://",
	    "unix:///", "unix://x", "unix:///a?db=", "unix:///a?x=1",
	    "unix:///a#f", "unix:///a%00b"};
	struct redis_url url;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		errno = 0;
		if (redis_url_parse(&url, cases[i]) != -1)
			fail_msg("accepted: %s", cases[i]);
		assert_int_equal(errno, EINVAL);
	}
}

/* One byte more than each field holds. */
static void
test_long(void **state)
{
	const struct {
		const char *before;
		size_t fits;
		const char *after;
	} cases[] = {
	    {"redis://", sizeof(((struct redis_url *)0)->user) - 1, ":@h"},
	    {"redis://:", sizeof(((struct redis_url *)0)->password) - 1, "@h"},
	    {"unix:///", sizeof(((struct redis_url *)0)->path) - 2, ""},
	};
	struct redis_url url;
	char text[600], fill[400];

	(void)state;
	memset(fill, 'x', sizeof(fill));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (int more = 0; more <= 1; more++) {
			snprintf(text, sizeof(text), "%s%.*s%s",
			    cases[i].before, (int)cases[i].fits + more, fill,
			    cases[i].after);
			assert_int_equal(
			    redis_url_parse(&url, text), more == 0 ? 0 : -1);
		}
	}
	snprintf(text, sizeof(text), "redis://%.*s", 300, fill);
	assert_int_equal(redis_url_parse(&url, text), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_good),
	    cmocka_unit_test(test_bad),
	    cmocka_unit_test(test_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
