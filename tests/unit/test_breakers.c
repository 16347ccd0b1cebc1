/* Goal: hosts that share a Redis act as one; a host alone still has a
 * breaker; and there is never a second probe. */
#include "breakers.h"

#include <sys/mman.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "log.h"
#include "redis_server.h"

#define HOSTS 2
#define OPEN_FOR_US 300000
#define PROCESSES 4
#define PERIODS 20

static char cluster[] = "test";
static char pay[] = "payments";
static struct config_service services[] = {{
    .name = pay,
    .breaker = {.failures = 3,
	.window_us = 5000000,
	.open_for_us = OPEN_FOR_US},
}};
static struct config config = {
    .cluster = cluster, .services = services, .service_count = 1};

/* One instance with one worker. */
struct host {
	struct loop *loop;
	struct scoreboard *scoreboard;
	struct redis *redis;
	struct breakers *breakers;
	struct breakers_ticket ticket;
	bool answered, admitted;
	unsigned settled;
};

struct fixture {
	struct redis_server server;
	struct loop *loop;
	struct host hosts[HOSTS];
	struct timer look; /* for what the test waits for */
	bool (*is_so)(struct fixture *f);
	bool done;
};

static void
on_up(void *arg)
{
	struct host *h = arg;

	breakers_on_up(h->breakers);
}

static void
on_asked(void *arg, bool admitted)
{
	struct host *h = arg;

	assert_false(h->answered);
	h->answered = true;
	h->admitted = admitted;
}

static void
on_settled(void *arg)
{
	struct host *h = arg;

	h->settled++;
}

static void
host_open(struct host *h, struct loop *loop, const struct redis_server *server,
    unsigned number)
{
	struct redis_options redis = {
	    .url = redis_server_url(server),
	    .name = "test",
	    .scripts = {&breakers_script, &breakers_peek_script},
	    .script_count = 2,
	    .on_up = on_up,
	    .arg = h,
	};
	struct breakers_options options = {
	    .loop = loop, .config = &config, .who = "worker 1"};

	memset(h, 0, sizeof(*h));
	config.redis.url = redis.url;
	h->loop = loop;
	h->scoreboard = aligned_alloc(64, sizeof(*h->scoreboard));
	assert_non_null(h->scoreboard);
	memset(h->scoreboard, 0, sizeof(*h->scoreboard));
	snprintf(h->scoreboard->incarnation, sizeof(h->scoreboard->incarnation),
	    "%016x", number + 1);
	h->redis = redis_new(loop, NULL, &redis);
	options.redis = h->redis;
	options.scoreboard = h->scoreboard;
	h->breakers = breakers_new(&options);
	assert_non_null(h->breakers);
	breakers_ticket_init(&h->ticket, on_asked, on_settled, h);
}

static void
host_close(struct host *h)
{
	breakers_free(h->breakers);
	redis_free(h->redis);
	free(h->scoreboard);
}

static struct breaker
word(const struct host *h)
{
	return breaker_unpack(atomic_load(&h->scoreboard->breakers[0]));
}

static bool
both_up(struct fixture *f)
{
	return redis_is_up(f->hosts[0].redis) && redis_is_up(f->hosts[1].redis);
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

static void
on_look(void *arg)
{
	struct fixture *f = arg;

	f->done = f->is_so(f);
	if (!f->done)
		loop_timer_after(f->loop, &f->look, 500);
}

static void
await(struct fixture *f, bool (*is_so)(struct fixture *))
{
	f->is_so = is_so;
	f->done = false;
	loop_timer_after(f->loop, &f->look, 0);
	assert_true(redis_server_run(f->loop, &f->done));
}

static int
start(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	redis_server_start(&f->server);
	f->loop = loop_new();
	for (unsigned i = 0; i < HOSTS; i++)
		host_open(&f->hosts[i], f->loop, &f->server, i);
	timer_init(&f->look, on_look, f);
	await(f, both_up);
	*state = f;
	return 0;
}

static int
stop(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 0; i < HOSTS; i++)
		host_close(&f->hosts[i]);
	loop_timer_clear(f->loop, &f->look);
	loop_free(f->loop);
	redis_server_stop(&f->server);
	free(f);
	return 0;
}

/* A request that the breaker lets through, and what becomes of it. */
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

/* Whether it gets the probe from Redis. */
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
	/* The fourth, right behind them, is rejected already. */
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
	/* A success, and a failure that nobody waits for, call nobody. */
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
	await(f, second_failed_once);
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
	/* Twice the same outcome is one. */
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

/* A host that did not hear of it yet tells of a request of long ago. */
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
	/* Gone before the answer is known: it goes back just as well. */
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

/* The lease is connect + read + 1 s, of which this test's services have 0. */
static void
a_dead_prober_is_replaced(void **state)
{
	struct fixture *f = *state;
	uint64_t from_ns;

	open_both(f);
	await(f, both_due);
	assert_true(asks(&f->hosts[0]));
	from_ns = loop_clock_ns();
	f->hosts[0].ticket.is_open = false; /* nobody will ever tell */
	await(f, both_due);
	assert_true(asks(&f->hosts[1]));
	assert_in_range(loop_clock_ns() - from_ns, 900000000, 1500000000);
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
	/* Redis is back and knows of nothing: so it is closed. */
	redis_server_start(&f->server);
	await(f, both_up);
	while (word(h).local)
		await(f, both_up);
	request(h, false);
	open_both(f);
}

/* Redis lost what it knew; what the hosts know must not lock them out. */
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

/* What the forked processes share. */
struct board {
	_Atomic int probes; /* under way */
	_Atomic int periods;
	_Atomic int clashes;
};

struct prober {
	struct host host;
	struct board *board;
	struct timer next, end;
	bool done;
};

static void
probe_ends(void *arg)
{
	struct prober *p = arg;

	atomic_fetch_sub(&p->board->probes, 1);
	atomic_fetch_add(&p->board->periods, 1);
	breakers_report(
	    p->host.breakers, &p->host.ticket, true, "still refused");
}

static void
probe_begins(struct prober *p)
{
	if (atomic_fetch_add(&p->board->probes, 1) != 0)
		atomic_fetch_add(&p->board->clashes, 1);
	loop_timer_after(p->host.loop, &p->end, 5000);
}

static void
prober_asked(void *arg, bool admitted)
{
	if (admitted)
		probe_begins(arg);
}

static void
prober_settled(void *arg)
{
	(void)arg;
}

static void
on_next(void *arg)
{
	struct prober *p = arg;
	struct breakers_ticket *t = &p->host.ticket;

	p->done = atomic_load(&p->board->periods) >= PERIODS;
	loop_timer_after(p->host.loop, &p->next, 500);
	if (!redis_is_up(p->host.redis) || t->is_asking || t->is_open ||
	    t->report != NULL ||
	    breakers_check(p->host.breakers, 0, t) != BREAKERS_ADMITTED)
		return;
	if (t->admission.is_probe) /* without asking? */
		atomic_fetch_add(&p->board->clashes, 1);
	breakers_report(p->host.breakers, t, true, "refused");
}

static int
child(const struct redis_server *server, struct board *board, unsigned number)
{
	struct prober p = {.board = board};
	struct loop *loop = loop_new();
	bool done;

	config.services[0].breaker.open_for_us = 30000;
	host_open(&p.host, loop, server, number);
	breakers_ticket_init(&p.host.ticket, prober_asked, prober_settled, &p);
	timer_init(&p.next, on_next, &p);
	timer_init(&p.end, probe_ends, &p);
	loop_timer_after(loop, &p.next, 0);
	done = redis_server_run(loop, &p.done);
	loop_timer_clear(loop, &p.next);
	loop_timer_clear(loop, &p.end);
	host_close(&p.host);
	loop_free(loop);
	return done ? 0 : 1;
}

static void
never_two_probes(void **state)
{
	struct fixture *f = *state;
	struct board *board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pids[PROCESSES];

	assert_ptr_not_equal(board, MAP_FAILED);
	for (unsigned i = 0; i < PROCESSES; i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			_exit(child(&f->server, board, HOSTS + i));
	}
	for (unsigned i = 0; i < PROCESSES; i++) {
		int status;

		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	assert_int_equal(board->clashes, 0);
	assert_true(board->periods >= PERIODS);
	munmap(board, sizeof(*board));
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, start, stop)
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
	    TEST(never_two_probes),
	};

	signal(SIGPIPE, SIG_IGN);
	log_init(LOG_LEVEL_WARN, LOG_FORMAT_TEXT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
