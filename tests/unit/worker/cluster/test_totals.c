/* Goal: the cluster's sum is exact whatever happens to the connection,
 * to Redis' memory or to the worker. */
#include "clock.h"
#include "totals.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "log.h"
#include "redis_server.h"

#define SLOTS 2
#define KILLS 20
/* While something is awaited: seconds. */
#define ROUNDS_MAX 5000

static char cluster[] = "test";
static char pay[] = "payments";
static struct config_service services[] = {{.name = pay}};
static char instance[] = "test";
static struct config config = {.instance = instance,
    .cluster = cluster,
    .services = services,
    .service_count = 1};

struct fixture {
	struct redis_server server;
	struct scoreboard *scoreboard;
	struct loop *loop;
	struct timer tick; /* counts a request and looks */
	unsigned to_count;
	struct {
		struct redis *redis;
		struct totals *totals;
		bool up;
	} workers[SLOTS];
	bool settled;
};

static void
count(struct fixture *f, unsigned slot, unsigned n)
{
	struct scoreboard_slot *s = &f->scoreboard->slots[slot];

	counter_add(&s->totals[SCOREBOARD_REQUESTS], n);
	counter_add(&s->totals[SCOREBOARD_RESPONSES_5XX], n);
	counter_add(&s->services[0][SCOREBOARD_SERVICE_FAILURES], n);
}

static bool
is_up(const struct fixture *f)
{
	for (unsigned i = 0; i < SLOTS; i++)
		if (!redis_is_up(f->workers[i].redis))
			return false;
	return true;
}

static bool
counted(const struct fixture *f)
{
	return f->to_count == 0 && is_up(f);
}

static bool
first_is_down(const struct fixture *f)
{
	return !redis_is_up(f->workers[0].redis);
}

static bool
all_are_down(const struct fixture *f)
{
	return first_is_down(f) && !redis_is_up(f->workers[1].redis);
}

/* Turns the loop, iteration by iteration. */
static void
turn_until(struct fixture *f, bool (*is_so)(const struct fixture *f))
{
	uint64_t end_ns = clock_ns() + UINT64_C(10000000000);

	while (!is_so(f) && clock_ns() < end_ns)
		redis_server_run(f->loop, &(const bool){true});
	assert_true(is_so(f));
}

static void
on_tick(void *arg)
{
	struct fixture *f = arg;

	if (f->to_count != 0) {
		f->to_count--;
		count(f, f->to_count % SLOTS, 1);
	}
	f->settled = f->to_count == 0 && is_up(f);
	for (unsigned i = 0; i < SLOTS; i++)
		f->settled &= totals_is_settled(f->workers[i].totals);
	loop_timer_after(f->loop, &f->tick, 500);
}

static void
worker_open(struct fixture *f, unsigned slot)
{
	struct redis_options options = {
	    .url = redis_server_url(&f->server),
	    .name = "test",
	    .scripts = {&totals_script},
	    .script_count = 1,
	};

	f->workers[slot].redis = redis_new(f->loop, NULL, &options);
	f->workers[slot].totals = totals_new(
	    f->loop, f->workers[slot].redis, &config, f->scoreboard, slot);
	assert_non_null(f->workers[slot].totals);
}

static void
worker_close(struct fixture *f, unsigned slot)
{
	totals_free(f->workers[slot].totals);
	redis_free(f->workers[slot].redis);
}

static int
start(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	redis_server_start(&f->server);
	f->loop = loop_new();
	config.state_dir = f->server.dir;
	f->scoreboard = scoreboard_open(&config, SLOTS);
	assert_non_null(f->scoreboard);
	for (unsigned i = 0; i < SLOTS; i++)
		worker_open(f, i);
	timer_init(&f->tick, on_tick, f);
	loop_timer_after(f->loop, &f->tick, 0);
	*state = f;
	return 0;
}

static int
stop(void **state)
{
	struct fixture *f = *state;
	char path[128];

	for (unsigned i = 0; i < SLOTS; i++)
		worker_close(f, i);
	loop_timer_clear(f->loop, &f->tick);
	loop_free(f->loop);
	snprintf(path, sizeof(path), "%s/scoreboard", f->server.dir);
	unlink(path);
	redis_server_stop(&f->server);
	free(f);
	return 0;
}

static void
settle(struct fixture *f)
{
	f->settled = false;
	assert_true(redis_server_run(f->loop, &f->settled));
}

static long long
stored(struct fixture *f, const char *field)
{
	return redis_server_ask(
	    &f->server, "HGET drover:{test}:totals %s", field);
}

static bool
both_know(const struct fixture *f, uint64_t requests)
{
	return totals_cluster_requests(f->workers[0].totals) == requests &&
	       totals_cluster_requests(f->workers[1].totals) == requests;
}

static void
every_field_arrives(void **state)
{
	struct fixture *f = *state;

	/* Without word from Redis the instance counts itself alone. */
	count(f, 0, 3);
	count(f, 1, 4);
	assert_int_equal(totals_cluster_requests(f->workers[0].totals), 7);
	settle(f);
	assert_int_equal(stored(f, "requests"), 7);
	assert_int_equal(stored(f, "responses_5xx"), 7);
	assert_int_equal(stored(f, "service_failures:payments"), 7);
	/* Each worker learns the totals of the other within the refresh, and
	 * counts on. */
	for (int i = 0; i < ROUNDS_MAX && !both_know(f, 7); i++)
		settle(f);
	assert_true(both_know(f, 7));
	count(f, 1, 5);
	assert_int_equal(totals_cluster_requests(f->workers[1].totals), 12);
	assert_false(totals_is_settled(f->workers[1].totals));
	totals_flush(f->workers[1].totals);
	totals_flush(f->workers[1].totals);
	settle(f);
	assert_int_equal(stored(f, "requests"), 12);
	assert_true(
	    redis_server_ask(&f->server, "TTL drover:{test}:writer:%s:1",
		f->scoreboard->incarnation) > 86000);
}

static void
exact_while_connections_die(void **state)
{
	struct fixture *f = *state;
	long long kills = 0;

	for (int i = 0; i < ROUNDS_MAX && kills < KILLS; i++) {
		f->to_count = 50;
		turn_until(f, counted);
		for (unsigned w = 0; w < SLOTS; w++)
			totals_flush(f->workers[w].totals);
		redis_server_run(f->loop, &(const bool){true});
		kills += redis_server_ask(
		    &f->server, "CLIENT KILL TYPE normal SKIPME yes");
	}
	assert_true(kills >= KILLS);
	settle(f);
	assert_int_equal(stored(f, "requests"),
	    scoreboard_sum(f->scoreboard, SCOREBOARD_REQUESTS));
	assert_int_equal(stored(f, "service_failures:payments"),
	    scoreboard_sum(f->scoreboard, SCOREBOARD_REQUESTS));
}

static void
a_flush_done_but_not_heard_counts_once(void **state)
{
	struct fixture *f = *state;

	settle(f);
	kill(f->server.pid, SIGSTOP);
	count(f, 0, 11);
	totals_flush(f->workers[0].totals);
	turn_until(f, first_is_down);
	kill(f->server.pid, SIGCONT);
	settle(f);
	assert_int_equal(stored(f, "requests"), 11);
}

static void
redis_may_forget_and_a_worker_may_die(void **state)
{
	struct fixture *f = *state;

	count(f, 0, 20);
	count(f, 1, 22);
	settle(f);
	/* A successor in the slot goes on where the totals stand. */
	worker_close(f, 1);
	worker_open(f, 1);
	count(f, 1, 1);
	settle(f);
	assert_int_equal(stored(f, "requests"), 43);
	redis_server_kill(&f->server);
	count(f, 0, 1);
	redis_server_start(&f->server);
	turn_until(f, all_are_down);
	settle(f);
	for (int i = 0; i < ROUNDS_MAX && stored(f, "requests") != 44; i++)
		settle(f);
	assert_int_equal(stored(f, "requests"), 44);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, start, stop)
	const struct CMUnitTest tests[] = {
	    TEST(every_field_arrives),
	    TEST(exact_while_connections_die),
	    TEST(a_flush_done_but_not_heard_counts_once),
	    TEST(redis_may_forget_and_a_worker_may_die),
	};

	signal(SIGPIPE, SIG_IGN);
	log_init(LOG_LEVEL_WARN, LOG_FORMAT_TEXT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
