/* Goal: answers come later, once, in time, and not after a cancel. */
#include "clock.h"
#include "resolver.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "redis_server.h"

struct answer {
	struct resolver_query *cancels; /* cancelled by the callback */
	struct resolver *frees;
	bool done;
	const char *error;
	enum resolver_outcome outcome;
	size_t count;
	uint32_t ttl_s;
	char first[SOCK_TEXT_MAX];
};

static void
on_answer(void *arg, const struct resolver_answer *answer)
{
	struct answer *a = arg;

	assert_false(a->done);
	a->done = true;
	a->error = answer->why;
	a->outcome = answer->outcome;
	a->count = answer->count;
	a->ttl_s = answer->ttl_s;
	if (answer->count != 0)
		sock_addr_str(&answer->addrs[0], a->first);
	if (a->cancels != NULL)
		resolver_cancel(a->cancels);
	if (a->frees != NULL)
		resolver_free(a->frees);
}

static void
numeric_hosts_answer_themselves(void **state)
{
	struct loop *loop = loop_new();
	struct resolver *r = resolver_new(loop);
	struct answer v4 = {0}, v6 = {0};

	(void)state;
	assert_non_null(resolver_query(r, "192.0.2.1", 80, on_answer, &v4));
	assert_non_null(resolver_query(r, "2001:db8::1", 81, on_answer, &v6));
	assert_false(v4.done);
	assert_true(redis_server_run(loop, &v4.done));
	assert_true(redis_server_run(loop, &v6.done));
	assert_null(v4.error);
	assert_int_equal(v4.outcome, RESOLVER_FOUND);
	assert_int_equal(v4.count, 1);
	assert_string_equal(v4.first, "192.0.2.1:80");
	assert_string_equal(v6.first, "[2001:db8::1]:81");
	resolver_free(r);
	loop_free(loop);
}

static void
hosts_come_from_the_file(void **state)
{
	struct loop *loop = loop_new();
	struct resolver *r = resolver_new(loop);
	struct answer a = {0};

	(void)state;
	assert_non_null(resolver_query(r, "localhost", 80, on_answer, &a));
	assert_false(a.done);
	assert_true(redis_server_run(loop, &a.done));
	assert_null(a.error);
	assert_in_range(a.count, 1, 64);
	assert_true(strcmp(a.first, "127.0.0.1:80") == 0 ||
		    strcmp(a.first, "[::1]:80") == 0);
	resolver_free(r);
	loop_free(loop);
}

/* With any name servers, or with none. */
static void
an_unknown_name_fails_in_time(void **state)
{
	struct loop *loop = loop_new();
	struct resolver *r = resolver_new(loop);
	struct answer a = {0}, bad = {0};
	uint64_t from_ns = clock_ns();

	(void)state;
	assert_non_null(
	    resolver_query(r, "no-such-host.invalid", 80, on_answer, &a));
	assert_non_null(resolver_query(r, "a..b", 80, on_answer, &bad));
	assert_true(redis_server_run(loop, &a.done));
	assert_true(redis_server_run(loop, &bad.done));
	assert_non_null(a.error);
	assert_non_null(bad.error);
	assert_int_not_equal(a.outcome, RESOLVER_FOUND);
	assert_int_equal(bad.outcome, RESOLVER_FAILED);
	assert_int_equal(a.count, 0);
	assert_in_range(clock_ns() - from_ns, 0,
	    (uint64_t)(RESOLVER_TIMEOUT_MS + 500) * 1000000);
	resolver_free(r);
	loop_free(loop);
}

static void
a_cancelled_query_is_silent(void **state)
{
	struct loop *loop = loop_new();
	struct resolver *r = resolver_new(loop);
	struct answer first = {0}, second = {0}, third = {0}, last = {0};

	(void)state;
	resolver_cancel(
	    resolver_query(r, "no-such-host.invalid", 80, on_answer, &third));
	resolver_cancel(resolver_query(r, "localhost", 80, on_answer, &third));
	assert_non_null(resolver_query(r, "localhost", 80, on_answer, &first));
	/* The second answer waits in the first's batch. */
	first.cancels = resolver_query(r, "127.0.0.1", 80, on_answer, &second);
	assert_non_null(resolver_query(r, "localhost", 80, on_answer, &last));
	assert_true(redis_server_run(loop, &last.done));
	assert_true(first.done);
	assert_false(second.done);
	assert_false(third.done);
	resolver_free(r);
	loop_free(loop);
}

static void
freeing_is_silent(void **state)
{
	struct loop *loop = loop_new();
	struct resolver *r = resolver_new(loop);
	struct answer a = {0}, b = {0}, c = {.frees = r};

	(void)state;
	assert_non_null(resolver_query(r, "localhost", 80, on_answer, &c));
	assert_non_null(
	    resolver_query(r, "no-such-host.invalid", 80, on_answer, &a));
	assert_non_null(resolver_query(r, "localhost", 80, on_answer, &b));
	assert_true(redis_server_run(loop, &c.done));
	assert_false(a.done);
	assert_false(b.done);
	loop_free(loop);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(numeric_hosts_answer_themselves),
	    cmocka_unit_test(hosts_come_from_the_file),
	    cmocka_unit_test(an_unknown_name_fails_in_time),
	    cmocka_unit_test(a_cancelled_query_is_silent),
	    cmocka_unit_test(freeing_is_silent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
