/* Goal: a service's endpoints come from the configuration and from DNS, each
 * request gets a permitted endpoint, and retries keep to their budget. */
#include "runtime_scene.h"

#include "resolver.h"
#include "service.h"

static struct service *service;

/* ---- the resolver: the test answers ---- */

struct resolver_query {
	resolver_fn *fn;
	void *arg;
	struct resolver_name name;
};

static struct resolver_query *asked; /* by the service, or NULL */
static unsigned questions;

struct resolver_query *
resolver_query_again(struct resolver *r, const struct resolver_name *name,
    resolver_fn *fn, void *arg)
{
	(void)r;
	assert_null(asked);
	asked = calloc(1, sizeof(*asked));
	assert_non_null(asked);
	*asked = (struct resolver_query){fn, arg, *name};
	questions++;
	return asked;
}

void
resolver_cancel(struct resolver_query *q)
{
	assert_ptr_equal(q, asked);
	free(asked);
	asked = NULL;
}

static void
tell(const struct resolver_answer *a)
{
	struct resolver_query *q = asked;

	assert_non_null(q);
	asked = NULL;
	q->fn(q->arg, a);
	free(q);
}

/* hosts: the last bytes of addresses 10.0.0.x. */
static void
answer(enum resolver_outcome outcome, const char *why, uint32_t ttl_s,
    const char *hosts)
{
	struct sock_addr addrs[8];
	struct resolver_answer a = {.outcome = outcome,
	    .why = why,
	    .addrs = addrs,
	    .ttl_s = ttl_s,
	    .unknown = AF_UNSPEC};

	memset(addrs, 0, sizeof(addrs));
	for (; hosts[a.count] != '\0'; a.count++) {
		struct sock_addr *addr = &addrs[a.count];

		addr->in.sin_family = AF_INET;
		addr->in.sin_port = htons(80);
		addr->in.sin_addr.s_addr =
		    htonl(0x0a000000 + (uint32_t)(hosts[a.count] - '0'));
		addr->len = sizeof(addr->in);
	}
	tell(&a);
}

/* count addresses from 10.1.0.0 on, in steps of a number prime to count; and
 * 10.0.0.1. */
static void
answer_many(size_t count, size_t step)
{
	struct sock_addr *addrs = calloc(count + 1, sizeof(*addrs));
	struct resolver_answer a = {.outcome = RESOLVER_FOUND,
	    .addrs = addrs,
	    .count = count + 1,
	    .ttl_s = 60,
	    .unknown = AF_UNSPEC};

	assert_non_null(addrs);
	for (size_t i = 0; i <= count; i++) {
		uint32_t n = i < count
				 ? 0x0a010000 + (uint32_t)(i * step % count)
				 : 0x0a000001;

		addrs[i].in.sin_family = AF_INET;
		addrs[i].in.sin_port = htons(80);
		addrs[i].in.sin_addr.s_addr = htonl(n);
		addrs[i].len = sizeof(addrs[i].in);
	}
	tell(&a);
	free(addrs);
}

static bool
is_asked(void)
{
	return asked != NULL;
}

/* ---- the service ---- */

static void
open_service(const char *endpoints, const char *options)
{
	scene_open("services:\n"
		   "- name: users\n"
		   "  endpoints: [%s]\n"
		   "%s",
	    endpoints, options);
	questions = 0;
	service = service_new(&scene.rt, 0);
	assert_non_null(service);
}

static int
teardown(void **state)
{
	(void)state;
	service_free(service);
	assert_null(asked);
	scene_close();
	return 0;
}

static struct endpoint *
pick(const struct endpoint *avoid)
{
	return service_pick(service, &(struct affinity){0}, avoid);
}

/* The endpoint by the last byte of its address. */
static struct endpoint *
find(char host)
{
	for (size_t i = 0; i < service->endpoint_count; i++) {
		struct endpoint *e = service->endpoints[i];

		if (strncmp(e->text, "10.0.0.", 7) == 0 && e->text[7] == host)
			return e;
	}
	return NULL;
}

#define THREE "'10.0.0.1:80', '10.0.0.2:80', '10.0.0.3:80'"

/* ---- picking an endpoint ---- */

static void
each_has_its_turn(void **state)
{
	struct endpoint *first;

	(void)state;
	open_service(THREE, "");
	first = pick(NULL);
	for (int round = 0; round < 3; round++) {
		struct endpoint *second = pick(NULL), *third = pick(NULL);

		assert_ptr_not_equal(second, first);
		assert_ptr_not_equal(third, first);
		assert_ptr_not_equal(third, second);
		assert_ptr_equal(pick(NULL), first);
	}
}

/* Workers that start together begin with different endpoints. */
static void
the_first_turn_depends_on_the_worker(void **state)
{
	const struct endpoint *first;
	struct service *other;

	(void)state;
	open_service(THREE, "");
	first = pick(NULL);
	assert_ptr_equal(first, service->endpoints[0]);
	scene.rt.index = 1;
	other = service_new(&scene.rt, 0);
	assert_string_equal(
	    service_pick(other, &(struct affinity){0}, NULL)->text,
	    service->endpoints[1]->text);
	service_free(other);
}

static void
weights_are_kept(void **state)
{
	unsigned to_first = 0;

	(void)state;
	open_service("'10.0.0.1:80 weight=3', '10.0.0.2:80'", "");
	for (int i = 0; i < 400; i++)
		to_first += pick(NULL) == service->endpoints[0];
	assert_int_equal(to_first, 300);
}

static void
what_is_out_is_passed_over(void **state)
{
	(void)state;
	open_service(THREE, "");
	endpoint_failed(find('2'), "refused", 0, true);
	for (int i = 0; i < 12; i++)
		assert_ptr_not_equal(pick(NULL), find('2'));
	/* As long as a better endpoint exists. */
	endpoint_failed(find('1'), "refused", 0, true);
	endpoint_failed(find('3'), "refused", 0, true);
	assert_non_null(pick(NULL));
}

static void
a_further_try_goes_elsewhere(void **state)
{
	(void)state;
	open_service("'10.0.0.1:80', '10.0.0.2:80'", "");
	for (int i = 0; i < 6; i++)
		assert_ptr_equal(pick(find('1')), find('2'));
	assert_ptr_equal(pick(find('2')), find('1'));
}

/* A drained endpoint is nowhere to go; the address that has left DNS is not the
 * one that is left. */
static void
elsewhere_needs_an_endpoint_that_takes_requests(void **state)
{
	struct endpoint *gone;

	(void)state;
	open_service(
	    "'10.0.0.9:80 weight=0', 'backend:80'", "  resolve: 100ms\n");
	assert_false(service_has_other(service, find('9')));
	answer(RESOLVER_FOUND, NULL, 0, "12");
	gone = find('1');
	endpoint_connected(gone);
	assert_true(service_has_other(service, gone));
	WAIT_UNTIL(is_asked);
	answer(RESOLVER_FOUND, NULL, 0, "2");
	assert_true(service_has_other(service, gone));
	assert_false(service_has_other(service, find('2')));
	endpoint_disconnected(gone);
}

static void
the_cookies_endpoint_comes_first(void **state)
{
	struct affinity a = {0};

	(void)state;
	open_service(THREE, "  sticky: { cookie: to }\n");
	a.sticky = find('3')->number;
	for (int i = 0; i < 6; i++)
		assert_ptr_equal(service_pick(service, &a, NULL), find('3'));
	/* Not where the request has just failed, nor an ejected endpoint. */
	assert_ptr_not_equal(service_pick(service, &a, find('3')), find('3'));
	endpoint_failed(find('3'), "refused", 0, true);
	assert_ptr_not_equal(service_pick(service, &a, NULL), find('3'));
	/* An unknown cookie belongs to no endpoint. */
	a.sticky = 12345;
	assert_non_null(service_pick(service, &a, NULL));
}

static void
a_drained_one_takes_only_its_cookies(void **state)
{
	struct affinity a = {0};

	(void)state;
	open_service("'10.0.0.1:80', '10.0.0.2:80 weight=0'",
	    "  sticky: { cookie: to }\n");
	for (int i = 0; i < 6; i++)
		assert_ptr_equal(pick(NULL), find('1'));
	a.sticky = find('2')->number;
	assert_ptr_equal(service_pick(service, &a, NULL), find('2'));
}

static void
the_least_loaded_comes_first(void **state)
{
	(void)state;
	open_service(THREE, "  policy: least_conn\n");
	atomic_store(&scene.rt.slot->state, SLOT_READY);
	endpoint_begin(find('1'));
	endpoint_begin(find('3'));
	for (int i = 0; i < 6; i++)
		assert_ptr_equal(pick(NULL), find('2'));
	endpoint_end(find('1'));
	endpoint_end(find('3'));
}

static void
a_key_keeps_to_its_endpoint(void **state)
{
	struct endpoint *of[64];
	unsigned moved = 0;

	(void)state;
	open_service(THREE, "  policy: ip_hash\n");
	for (uint64_t i = 0; i < 64; i++) {
		struct affinity a = {.hash = i * UINT64_C(0x9e3779b97f4a7c15)};

		of[i] = service_pick(service, &a, NULL);
		assert_ptr_equal(service_pick(service, &a, NULL), of[i]);
		moved += of[i] != of[0];
	}
	assert_in_range(moved, 16, 63);
}

/* ---- names ---- */

static void
a_name_stands_for_its_addresses(void **state)
{
	(void)state;
	open_service("'backend:80'", "");
	assert_true(service_is_resolving(service));
	assert_null(pick(NULL));
	assert_string_equal(asked->name.host, "backend");
	assert_int_equal(asked->name.port, 80);
	assert_false(asked->name.had_v4);
	answer(RESOLVER_FOUND, NULL, 60, "12");
	assert_false(service_is_resolving(service));
	assert_int_equal(service->endpoint_count, 2);
	assert_ptr_not_equal(pick(NULL), pick(NULL));
}

static void
who_waits_is_told(struct service *told)
{
	assert_ptr_equal(told, service);
	questions += 100;
}

static const struct endpoint *left;

static void
someone_leaves(struct service *told, struct endpoint *endpoint)
{
	assert_ptr_equal(told, service);
	assert_null(left);
	left = endpoint;
}

static void
the_set_follows_the_name(void **state)
{
	struct endpoint *stays;

	(void)state;
	left = NULL;
	open_service("'backend:80'", "  resolve: 100ms\n");
	service->on_change = who_waits_is_told;
	service->on_leave = someone_leaves;
	answer(RESOLVER_FOUND, NULL, 60, "12");
	assert_int_equal(questions, 101);
	stays = find('2');
	WAIT_UNTIL(is_asked);
	assert_true(asked->name.had_v4);
	assert_false(asked->name.had_v6);
	/* Before the answer no endpoint has left. */
	assert_null(left);
	answer(RESOLVER_FOUND, NULL, 60, "23");
	assert_int_equal(service->endpoint_count, 2);
	assert_null(find('1'));
	assert_ptr_equal(find('2'), stays);
	assert_non_null(find('3'));
	assert_non_null(left);
	service->on_leave = NULL;
}

/* A name and an address of the configuration may be the same endpoint. */
static void
the_host_lists_an_address_until_its_last_endpoint_leaves(void **state)
{
	const struct member *shared;

	(void)state;
	open_service("'10.0.0.1:80', 'backend:80'", "  resolve: 100ms\n");
	answer(RESOLVER_FOUND, NULL, 60, "12");
	assert_int_equal(service->endpoint_count, 3);
	shared = find('1')->member;
	assert_true(member_is_listed(shared));
	WAIT_UNTIL(is_asked);
	answer(RESOLVER_FOUND, NULL, 60, "2");
	assert_int_equal(service->endpoint_count, 2);
	assert_true(member_is_listed(shared));
	shared = find('2')->member;
	WAIT_UNTIL(is_asked);
	answer(RESOLVER_ABSENT, "no such name", 0, "");
	assert_int_equal(service->endpoint_count, 1);
	assert_false(member_is_listed(shared));
}

/* An endpoint present from the start has no slow start; an endpoint that joins
 * has. */
static void
only_who_joins_starts_slowly(void **state)
{
	(void)state;
	open_service("'backend:80'", "  resolve: 100ms\n  slow_start: 8s\n");
	answer(RESOLVER_ABSENT, "no such name", 0, "");
	WAIT_UNTIL(is_asked);
	answer(RESOLVER_FOUND, NULL, 60, "1");
	assert_int_equal(find('1')->since_us, 0);
	WAIT_UNTIL(is_asked);
	answer(RESOLVER_FOUND, NULL, 60, "12");
	assert_int_equal(find('1')->since_us, 0);
	assert_int_equal(find('2')->since_us, loop_now_us(scene.rt.loop));
	/* Also after a time without endpoints. */
	WAIT_UNTIL(is_asked);
	answer(RESOLVER_ABSENT, "no such name", 0, "");
	WAIT_UNTIL(is_asked);
	answer(RESOLVER_FOUND, NULL, 60, "1");
	assert_int_equal(find('1')->since_us, loop_now_us(scene.rt.loop));
}

static void
a_name_server_that_fails_changes_nothing(void **state)
{
	(void)state;
	open_service("'backend:80'", "  resolve: 100ms\n");
	answer(RESOLVER_FOUND, NULL, 60, "12");
	WAIT_UNTIL(is_asked);
	answer(RESOLVER_FAILED, "no answer", 0, "");
	assert_int_equal(service->endpoint_count, 2);
	WAIT_UNTIL(is_asked);
	/* The loss of the last endpoint is news like any other. */
	answer(RESOLVER_ABSENT, "no such name", 0, "");
	assert_int_equal(service->endpoint_count, 0);
	assert_false(service_is_resolving(service));
	assert_null(pick(NULL));
}

static void
a_failure_alone_is_an_answer_too(void **state)
{
	(void)state;
	open_service("'backend:80'", "");
	answer(RESOLVER_FAILED, "no answer", 0, "");
	assert_false(service_is_resolving(service));
}

/* No sooner than `resolve` or a second, whichever is less; no later than
 * `resolve`, whatever the TTL says. */
static void
a_name_is_asked_again_in_time(void **state)
{
	uint64_t from_us;

	(void)state;
	open_service("'backend:80'", "  resolve: 200ms\n");
	from_us = clock_ns() / 1000;
	answer(RESOLVER_FOUND, NULL, 3600, "1");
	WAIT_UNTIL(is_asked);
	assert_true(clock_ns() / 1000 - from_us >= 190000);
	assert_int_equal(questions, 2);
}

static unsigned departures;

static void
count_leaving(struct service *told, struct endpoint *endpoint)
{
	(void)told;
	(void)endpoint;
	departures++;
}

static void
all_of_many_addresses_are_used(void **state)
{
	(void)state;
	open_service("'backend:80'", "  resolve: 100ms\n");
	answer_many(SERVICE_NAME_MAX - 1, 1);
	assert_int_equal(service->endpoint_count, SERVICE_NAME_MAX);
	for (size_t i = 0; i < service->endpoint_count; i++)
		assert_non_null(service->endpoints[i]->member);
}

/* A shuffled answer is the same answer. */
static void
of_too_many_addresses_the_choice_is_stable(void **state)
{
	const struct endpoint *first;

	(void)state;
	open_service("'backend:80'", "  resolve: 100ms\n");
	service->on_leave = count_leaving;
	departures = 0;
	answer_many(1500, 1);
	assert_int_equal(service->endpoint_count, SERVICE_NAME_MAX);
	first = find('1');
	assert_non_null(first);
	for (size_t step = 7; step <= 77; step += 70) {
		WAIT_UNTIL(is_asked);
		answer_many(1500, step);
		assert_int_equal(service->endpoint_count, SERVICE_NAME_MAX);
		assert_ptr_equal(find('1'), first);
	}
	assert_int_equal(departures, 0);
	service->on_leave = NULL;
}

/* The known addresses of a family without an answer take part in the choice. */
static void
a_family_without_an_answer_keeps_its_place(void **state)
{
	struct resolver_answer a = {
	    .outcome = RESOLVER_FOUND, .ttl_s = 60, .unknown = AF_INET};
	struct sock_addr *addrs = calloc(SERVICE_NAME_MAX, sizeof(*addrs));

	(void)state;
	assert_non_null(addrs);
	open_service("'backend:80'", "  resolve: 100ms\n");
	answer(RESOLVER_FOUND, NULL, 60, "12");
	WAIT_UNTIL(is_asked);
	for (a.count = 0; a.count < SERVICE_NAME_MAX; a.count++) {
		struct sock_addr *addr = &addrs[a.count];

		addr->in6.sin6_family = AF_INET6;
		addr->in6.sin6_port = htons(80);
		addr->in6.sin6_addr.s6_addr[14] = (uint8_t)(a.count >> 8);
		addr->in6.sin6_addr.s6_addr[15] = (uint8_t)a.count;
		addr->len = sizeof(addr->in6);
	}
	a.addrs = addrs;
	tell(&a);
	assert_int_equal(service->endpoint_count, SERVICE_NAME_MAX);
	assert_non_null(find('1'));
	assert_non_null(find('2'));
	free(addrs);
}

/* ---- the retry budget ---- */

static void
three_further_tries_are_always_allowed(void **state)
{
	(void)state;
	open_service(THREE, "");
	for (int i = 0; i < 4; i++)
		service_begin(service);
	for (int i = 0; i < 3; i++)
		assert_true(service_start_retry(service, false));
	assert_false(service_start_retry(service, false));
	/* A request already on a retry counts once. */
	assert_true(service_start_retry(service, true));
	assert_int_equal(service->retried, 3);
	service_end(service, true);
	assert_true(service_start_retry(service, false));
	for (int i = 0; i < 3; i++)
		service_end(service, true);
	assert_int_equal(service->live, 0);
	assert_int_equal(service->retried, 0);
}

static void
a_fifth_may_be_on_a_further_try(void **state)
{
	unsigned allowed = 0;

	(void)state;
	open_service(THREE, "");
	for (int i = 0; i < 50; i++)
		service_begin(service);
	while (service_start_retry(service, false))
		assert_true(++allowed <= 50);
	assert_int_equal(allowed, 10);
	for (unsigned i = 0; i < 50; i++)
		service_end(service, i < allowed);
	assert_int_equal(service->retried, 0);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(each_has_its_turn),
	    TEST(the_first_turn_depends_on_the_worker),
	    TEST(weights_are_kept),
	    TEST(what_is_out_is_passed_over),
	    TEST(a_further_try_goes_elsewhere),
	    TEST(elsewhere_needs_an_endpoint_that_takes_requests),
	    TEST(the_cookies_endpoint_comes_first),
	    TEST(a_drained_one_takes_only_its_cookies),
	    TEST(the_least_loaded_comes_first),
	    TEST(a_key_keeps_to_its_endpoint),
	    TEST(a_name_stands_for_its_addresses),
	    TEST(the_set_follows_the_name),
	    TEST(the_host_lists_an_address_until_its_last_endpoint_leaves),
	    TEST(only_who_joins_starts_slowly),
	    TEST(a_name_server_that_fails_changes_nothing),
	    TEST(a_failure_alone_is_an_answer_too),
	    TEST(a_name_is_asked_again_in_time),
	    TEST(all_of_many_addresses_are_used),
	    TEST(of_too_many_addresses_the_choice_is_stable),
	    TEST(a_family_without_an_answer_keeps_its_place),
	    TEST(three_further_tries_are_always_allowed),
	    TEST(a_fifth_may_be_on_a_further_try),
	};

	log_init(LOG_LEVEL_ERROR, LOG_FORMAT_TEXT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
