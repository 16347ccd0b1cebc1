/* Goal: hosts that share a Redis act as one, and a host alone still has a
 * breaker. */
#include "breakers_hosts.h"
#include "clock.h"

static struct breaker
word(const struct host *h)
{
	return breaker_unpack(atomic_load(&h->scoreboard->breakers[0]));
}

static bool
both_down(struct fixture *f)
{
	return !redis_is_up(f->hosts[0].redis) &&
	       !redis_is_up(f->hosts[1].redis);
}

static bool
both_are(struct fixture *f, enum breaker_state state)
{
	for (int i = 0; i < HOSTS; i++) {
		struct breaker w = word(&f->hosts[i]);

		if (w.state != state || w.local || w.epoch == 0)
			return false;
	}
	return true;
}

static bool
both_open(struct fixture *f)
{
	return both_are(f, BREAKER_OPEN);
}

static bool
both_closed(struct fixture *f)
{
	return both_are(f, BREAKER_CLOSED);
}

static bool
both_due(struct fixture *f)
{
	return loop_now_us(f->loop) / 1000 >= word(&f->hosts[0]).until_ms &&
	       loop_now_us(f->loop) / 1000 >= word(&f->hosts[1]).until_ms;
}

/* Of one failure or of two: the news may come together. */
static bool
second_knows(struct fixture *f)
{
	return word(&f->hosts[1]).failures != 0;
}

static bool
second_failed_once(struct fixture *f)
{
	return word(&f->hosts[1]).failures == 1;
}

static bool
second_failed_never(struct fixture *f)
{
	return word(&f->hosts[1]).failures == 0;
}

static bool
second_stood_down(struct fixture *f)
{
	struct breaker w = word(&f->hosts[1]);

	return w.state == BREAKER_HALF_OPEN && both_due(f);
}

/* A request that the breaker admits, and its outcome. */
static void
request(struct host *h, bool fails)
{
	assert_int_equal(
	    breakers_check(h->breakers, 0, &h->ticket), BREAKERS_ADMITTED);
	breakers_report(
	    h->breakers, &h->ticket, fails, fails ? "connect refused" : NULL);
	breakers_release(h->breakers, &h->ticket);
}

static bool
is_rejected(struct host *h)
{
	return breakers_check(h->breakers, 0, &h->ticket) == BREAKERS_REJECTED;
}

/* Whether Redis grants the host the probe. */
static bool
asks(struct host *h)
{
	h->answered = false;
	assert_int_equal(
	    breakers_check(h->breakers, 0, &h->ticket), BREAKERS_ASKING);
	assert_false(h->answered);
	assert_true(redis_server_run(h->loop, &h->answered));
	return h->admitted;
}

static void
open_both(struct fixture *f)
{
	request(&f->hosts[0], true);
	request(&f->hosts[0], true);
	request(&f->hosts[0], true);
	/* The fourth request, right behind the three, is already rejected. */
	assert_true(is_rejected(&f->hosts[0]));
	await(f, both_open);
}

static void
failures_add_up_over_hosts(void **state)
{
	struct fixture *f = *state;

	request(&f->hosts[0], true);
	await(f, second_failed_once);
	request(&f->hosts[1], true);
	request(&f->hosts[0], true);
	await(f, both_open);
	assert_true(is_rejected(&f->hosts[0]));
	assert_true(is_rejected(&f->hosts[1]));
	assert_int_equal(breakers_retry_after_s(f->hosts[1].breakers, 0), 1);
	assert_int_equal(word(&f->hosts[0]).failures, 3);
}

static bool
first_settled(struct fixture *f)
{
	return f->hosts[0].settled > 0;
}

static void
a_failure_is_settled_when_redis_knows(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->hosts[0];

	for (unsigned failures = 1; failures <= 3; failures++) {
		h->settled = 0;
		assert_int_equal(breakers_check(h->breakers, 0, &h->ticket),
		    BREAKERS_ADMITTED);
		assert_false(
		    breakers_report(h->breakers, &h->ticket, true, "late"));
		assert_int_equal(h->settled, 0);
		await(f, first_settled);
		assert_int_equal(h->settled, 1);
		assert_int_equal(word(h).failures, failures);
		assert_false(word(h).local);
	}
	assert_int_equal(word(h).state, BREAKER_OPEN);
	/* A success, and a failure without a waiter, make no call. */
	await(f, both_due);
	h->settled = 0;
	assert_true(asks(h));
	assert_true(breakers_report(h->breakers, &h->ticket, false, NULL));
	await(f, both_closed);
	request(h, true);
	await(f, second_failed_once);
	assert_int_equal(h->settled, 0);
}

static void
a_success_elsewhere_ends_the_run(void **state)
{
	struct fixture *f = *state;

	request(&f->hosts[0], true);
	request(&f->hosts[0], true);
	await(f, second_knows);
	request(&f->hosts[1], false);
	await(f, second_failed_never);
	request(&f->hosts[1], true);
	await(f, second_failed_once);
	assert_int_equal(word(&f->hosts[0]).state, BREAKER_CLOSED);
	assert_int_equal(redis_server_ask(&f->server,
			     "HGET drover:{test}:breaker:payments failures"),
	    1);
}

static void
one_probe_closes_it_for_all(void **state)
{
	struct fixture *f = *state;

	open_both(f);
	await(f, both_due);
	assert_true(asks(&f->hosts[1]));
	/* This host may not have heard yet; Redis has. */
	if (!is_rejected(&f->hosts[0])) {
		assert_true(redis_server_run(f->loop, &f->hosts[0].answered));
		assert_false(f->hosts[0].admitted);
	}
	breakers_report(f->hosts[1].breakers, &f->hosts[1].ticket, false, NULL);
	await(f, both_closed);
	request(&f->hosts[0], false);
}

static void
a_failed_probe_opens_it_again(void **state)
{
	struct fixture *f = *state;
	uint32_t epoch;

	open_both(f);
	epoch = word(&f->hosts[0]).epoch;
	await(f, both_due);
	assert_true(asks(&f->hosts[0]));
	breakers_report(
	    f->hosts[0].breakers, &f->hosts[0].ticket, true, "timeout");
	/* An outcome reported twice counts once. */
	breakers_report(
	    f->hosts[0].breakers, &f->hosts[0].ticket, true, "timeout");
	await(f, both_open);
	assert_int_equal(word(&f->hosts[0]).epoch, epoch + 2);
}

static void
close_both(struct fixture *f)
{
	await(f, both_due);
	assert_true(asks(&f->hosts[0]));
	breakers_report(f->hosts[0].breakers, &f->hosts[0].ticket, false, NULL);
	await(f, both_closed);
}

static bool
second_heard(struct fixture *f)
{
	return word(&f->hosts[1]).epoch == word(&f->hosts[0]).epoch;
}

/* A host without the news reports a request of long ago. */
static void
a_late_outcome_is_fenced_off(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->hosts[1];
	uint64_t old;

	open_both(f);
	close_both(f);
	old = atomic_load(&h->scoreboard->breakers[0]);
	assert_int_equal(
	    breakers_check(h->breakers, 0, &h->ticket), BREAKERS_ADMITTED);
	open_both(f);
	close_both(f);
	atomic_store(&h->scoreboard->breakers[0], old);
	breakers_report(h->breakers, &h->ticket, true, "timeout");
	await(f, second_heard);
	assert_int_equal(redis_server_ask(&f->server,
			     "HGET drover:{test}:breaker:payments failures"),
	    0);
	assert_int_equal(word(h).failures, 0);
}

static void
a_probe_goes_back_when_its_client_leaves(void **state)
{
	struct fixture *f = *state;

	open_both(f);
	await(f, both_due);
	assert_true(asks(&f->hosts[0]));
	breakers_release(f->hosts[0].breakers, &f->hosts[0].ticket);
	await(f, second_stood_down);
	/* The request is gone before the answer: the probe goes back just as
	 * well. */
	f->hosts[0].answered = false;
	while (breakers_check(f->hosts[0].breakers, 0, &f->hosts[0].ticket) !=
	       BREAKERS_ASKING)
		await(f, second_stood_down);
	breakers_release(f->hosts[0].breakers, &f->hosts[0].ticket);
	await(f, both_up);
	await(f, second_stood_down);
	while (!asks(&f->hosts[1]))
		await(f, second_stood_down);
	assert_false(f->hosts[0].answered);
	breakers_report(f->hosts[1].breakers, &f->hosts[1].ticket, false, NULL);
	await(f, both_closed);
}

/* The lease is connect + read + 1 s; connect and read are 0 in this test. */
static void
a_dead_prober_is_replaced(void **state)
{
	struct fixture *f = *state;
	uint64_t from_ns;

	open_both(f);
	await(f, both_due);
	assert_true(asks(&f->hosts[0]));
	from_ns = clock_ns();
	f->hosts[0].ticket.is_open = false; /* nobody will ever tell */
	await(f, both_due);
	assert_true(asks(&f->hosts[1]));
	assert_in_range(clock_ns() - from_ns, 900000000, 1500000000);
}

static void
a_host_alone_has_a_breaker_too(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->hosts[0];

	redis_server_kill(&f->server);
	await(f, both_down);
	for (int i = 0; i < 3; i++)
		request(h, true);
	assert_true(is_rejected(h));
	assert_true(word(h).local);
	request(&f->hosts[1], false);
	await(f, both_due);
	assert_int_equal(
	    breakers_check(h->breakers, 0, &h->ticket), BREAKERS_ADMITTED);
	assert_int_equal(word(h).state, BREAKER_HALF_OPEN);
	breakers_report(h->breakers, &h->ticket, true, "timeout");
	assert_true(is_rejected(h));
	/* Redis is back without any state: the circuit is closed. */
	redis_server_start(&f->server);
	await(f, both_up);
	while (word(h).local)
		await(f, both_up);
	request(h, false);
	open_both(f);
}

/* Redis lost its state; the hosts' state must not lock the hosts out. */
static void
a_redis_that_forgot_is_led_on(void **state)
{
	struct fixture *f = *state;

	open_both(f);
	redis_server_ask(&f->server, "FLUSHALL");
	await(f, both_due);
	assert_true(asks(&f->hosts[0]));
	breakers_report(f->hosts[0].breakers, &f->hosts[0].ticket, false, NULL);
	await(f, both_closed);
	open_both(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(failures_add_up_over_hosts),
	    TEST(a_failure_is_settled_when_redis_knows),
	    TEST(a_success_elsewhere_ends_the_run),
	    TEST(one_probe_closes_it_for_all),
	    TEST(a_failed_probe_opens_it_again),
	    TEST(a_late_outcome_is_fenced_off),
	    TEST(a_probe_goes_back_when_its_client_leaves),
	    TEST(a_dead_prober_is_replaced),
	    TEST(a_host_alone_has_a_breaker_too),
	    TEST(a_redis_that_forgot_is_led_on),
	};

	signal(SIGPIPE, SIG_IGN);
	log_init(LOG_LEVEL_WARN, LOG_FORMAT_TEXT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
