/* Goal: /metrics and /api/cluster show the scoreboard: totals that outlive a
 * worker, no gauges of the dead, histograms whose buckets add up. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "instance_json.h"
#include "metrics.h"

#define WORKERS 2
#define NOW_NS UINT64_C(100000000000)

static char instance_name[] = "one", cluster_name[] = "demo";
static char service_name[] = "users";
static struct config_service services[] = {{.name = service_name}};
static struct config_series series[] = {
    {"", -1},
    {"/api", 0},
    {"/a\"b\\c", -1},
};
static struct config config = {
    .instance = instance_name,
    .cluster = cluster_name,
    .event_loop.stall_threshold_us = 50000,
    .redis.enabled = true,
    .services = services,
    .service_count = 1,
    .series = series,
    .series_count = 3,
};
static struct deaths deaths;
static struct scoreboard *sb;
static struct instance instance;

static void
make_live(unsigned i, pid_t pid)
{
	struct scoreboard_slot *slot = &sb->slots[i];

	atomic_store(&slot->pid, pid);
	atomic_store(&slot->state, SLOT_READY);
	atomic_store(&slot->generation, 3);
	atomic_store(&slot->started_ns, NOW_NS - 5000000000);
	atomic_store(&slot->heartbeat_ns, NOW_NS);
}

static int
setup(void **state)
{
	size_t bytes = sizeof(*sb) + WORKERS * sizeof(sb->slots[0]) +
		       WORKERS * config.series_count * SCOREBOARD_CODE_COUNT *
			   sizeof(struct duration_histogram);

	(void)state;
	sb = aligned_alloc(64, bytes);
	if (sb == NULL)
		return -1;
	memset(sb, 0, bytes);
	sb->slot_count = WORKERS;
	sb->series_count = (uint32_t)config.series_count;
	memset(&deaths, 0, sizeof(deaths));
	instance = (struct instance){&config, sb, &deaths, WORKERS};
	make_live(0, 11);
	make_live(1, 12);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	free(sb);
	return 0;
}

/* The value of the sample whose line begins with name. */
static double
sample(const char *name)
{
	size_t len;
	char *page = metrics_page(&instance, NOW_NS, &len), line[256];
	const char *at;
	double value;

	assert_non_null(page);
	assert_int_equal(len, strlen(page));
	snprintf(line, sizeof(line), "\n%s ", name);
	at = strstr(page, line);
	if (at == NULL)
		fail_msg("no sample %s", name);
	value = strtod(at + strlen(line), NULL);
	free(page);
	return value;
}

static void
check(const char *name, double want)
{
	double got = sample(name);

	if (got < want - 1e-6 || got > want + 1e-6)
		fail_msg("%s is %f, not %f", name, got, want);
}

static void
check_absent(const char *name)
{
	size_t len;
	char *page = metrics_page(&instance, NOW_NS, &len), line[256];

	assert_non_null(page);
	snprintf(line, sizeof(line), "\n%s ", name);
	assert_null(strstr(page, line));
	free(page);
}

static void
test_totals_outlive_gauges_do_not(void **state)
{
	struct scoreboard_slot *slot = &sb->slots[1];

	(void)state;
	counter_add(&slot->totals[SCOREBOARD_REQUESTS], 42);
	counter_gauge(&slot->connections, 7);
	check("drover_connections{worker=\"2\"}", 7);
	check("drover_worker_up{worker=\"2\"}", 1);
	check("drover_worker_uptime_seconds{worker=\"2\"}", 5);
	atomic_store(&slot->state, SLOT_DEAD);
	check("drover_requests_total{worker=\"2\"}", 42);
	check("drover_connections{worker=\"2\"}", 0);
	check("drover_worker_up{worker=\"2\"}", 0);
	check("drover_worker_uptime_seconds{worker=\"2\"}", 0);
	check("drover_worker_state{worker=\"2\",state=\"dead\"}", 1);
	check("drover_worker_state{worker=\"2\",state=\"ready\"}", 0);
}

static void
test_nanoseconds_become_seconds(void **state)
{
	(void)state;
	counter_add(
	    &sb->slots[0].totals[SCOREBOARD_BUSY_OVER_10MS_NS], 1500000000);
	check("drover_event_loop_busy_over_10ms_seconds_total{worker=\"1\"}",
	    1.5);
}

static void
test_histogram_adds_up(void **state)
{
	struct histogram *h = &sb->slots[0].delay;

	(void)state;
	for (int i = 0; i < 10; i++)
		histogram_add(h, 100000);
	histogram_add(h, 60000000);
	histogram_add(h, 30000000000);
	check("drover_event_loop_delay_seconds_bucket{worker=\"1\","
	      "le=\"0.001\"}",
	    10);
	check("drover_event_loop_delay_seconds_bucket{worker=\"1\","
	      "le=\"0.05\"}",
	    10);
	check("drover_event_loop_delay_seconds_bucket{worker=\"1\","
	      "le=\"0.1\"}",
	    11);
	check("drover_event_loop_delay_seconds_bucket{worker=\"1\",le=\"10\"}",
	    11);
	check("drover_event_loop_delay_seconds_bucket{worker=\"1\","
	      "le=\"+Inf\"}",
	    12);
	check("drover_event_loop_delay_seconds_count{worker=\"1\"}", 12);
	check("drover_event_loop_delay_seconds_sum{worker=\"1\"}", 30.061);
}

static void
test_services_are_summed(void **state)
{
	(void)state;
	for (int i = 0; i < WORKERS; i++) {
		struct scoreboard_slot *slot = &sb->slots[i];

		counter_add(&slot->services[0][SCOREBOARD_SERVICE_FAILURES], 2);
		counter_gauge(&slot->service_in_flight[0], 3);
	}
	/* The state is in the two low bits; the rest is not ours. */
	atomic_store(&sb->breakers[0], 0xfffffffffffffff4 | 1);
	check("drover_service_failures_total{service=\"users\"}", 4);
	check("drover_service_requests_in_flight{service=\"users\"}", 6);
	check("drover_service_breaker_state{service=\"users\"}", 1);
	atomic_store(&sb->slots[0].state, SLOT_DEAD);
	check("drover_service_failures_total{service=\"users\"}", 4);
	check("drover_service_requests_in_flight{service=\"users\"}", 3);
}

#define REQUESTS "drover_request_duration_seconds"
#define API "{service=\"users\",route=\"/api\",code=\"2xx\""

static struct duration_histogram *
requests(unsigned slot, size_t of_series, enum scoreboard_code code)
{
	return scoreboard_requests(sb, slot) +
	       of_series * SCOREBOARD_CODE_COUNT + code;
}

static void
test_requests_are_summed_by_route_and_code(void **state)
{
	(void)state;
	duration_add(requests(0, 1, SCOREBOARD_CODE_2XX), 900);
	duration_add(requests(1, 1, SCOREBOARD_CODE_2XX), 900);
	duration_add(requests(1, 1, SCOREBOARD_CODE_2XX), 60000);
	duration_add(requests(1, 1, SCOREBOARD_CODE_2XX), 20000000);
	duration_add(requests(0, 1, SCOREBOARD_CODE_499), 1);
	check(REQUESTS "_bucket" API ",le=\"0.001\"}", 2);
	check(REQUESTS "_bucket" API ",le=\"0.05\"}", 2);
	check(REQUESTS "_bucket" API ",le=\"0.1\"}", 3);
	check(REQUESTS "_bucket" API ",le=\"10\"}", 3);
	check(REQUESTS "_bucket" API ",le=\"+Inf\"}", 4);
	check(REQUESTS "_count" API "}", 4);
	check(REQUESTS "_sum" API "}", 20.0618);
	check(REQUESTS "_count{service=\"users\",route=\"/api\",code=\"499\"}",
	    1);
	check_absent(REQUESTS "_count{service=\"users\",route=\"/api\","
			      "code=\"5xx\"}");
	/* As of the rest, a death takes nothing back. */
	atomic_store(&sb->slots[1].state, SLOT_DEAD);
	check(REQUESTS "_count" API "}", 4);
}

static void
test_a_label_is_escaped(void **state)
{
	(void)state;
	duration_add(requests(1, 2, SCOREBOARD_CODE_4XX), 5);
	duration_add(requests(1, 0, SCOREBOARD_CODE_4XX), 5);
	check(REQUESTS "_count{service=\"\",route=\"/a\\\"b\\\\c\","
		       "code=\"4xx\"}",
	    1);
	check(REQUESTS "_count{service=\"\",route=\"\",code=\"4xx\"}", 1);
}

static void
test_waits_of_a_service(void **state)
{
	(void)state;
	duration_add_none(&sb->slots[0].waits[0][SCOREBOARD_WAIT_QUEUE]);
	duration_add(&sb->slots[1].waits[0][SCOREBOARD_WAIT_QUEUE], 300000);
	duration_add(
	    &sb->slots[1].waits[0][SCOREBOARD_WAIT_FIRST_BYTE], 2000000);
	check("drover_queue_seconds_bucket{service=\"users\",le=\"0.001\"}", 1);
	check("drover_queue_seconds_bucket{service=\"users\",le=\"0.5\"}", 2);
	check("drover_queue_seconds_sum{service=\"users\"}", 0.3);
	check("drover_connect_seconds_count{service=\"users\"}", 0);
	check(
	    "drover_first_byte_seconds_bucket{service=\"users\",le=\"1\"}", 0);
	check("drover_first_byte_seconds_bucket{service=\"users\",le=\"2.5\"}",
	    1);
}

static void
test_endpoints(void **state)
{
	struct member_name name = {5, 0, "127.0.0.1:81"};
	struct member *m = &sb->members[member_join(sb->members, &name, 1)];

	(void)state;
	check("drover_endpoint_up{service=\"users\",endpoint=\"127.0.0.1:81\"}",
	    1);
	member_eject(m, NOW_NS / 1000 + 1);
	check("drover_endpoint_up{service=\"users\",endpoint=\"127.0.0.1:81\"}",
	    0);
	check("drover_endpoint_ejections_total{service=\"users\","
	      "endpoint=\"127.0.0.1:81\"}",
	    1);
	member_leave(m, 1);
	check_absent("drover_endpoint_up{service=\"users\","
		     "endpoint=\"127.0.0.1:81\"}");
}

static void
test_responses_by_class(void **state)
{
	(void)state;
	counter_add(&sb->slots[0].totals[SCOREBOARD_RESPONSES_1XX], 2);
	counter_add(&sb->slots[1].totals[SCOREBOARD_RESPONSES_5XX], 3);
	check("drover_responses_total{worker=\"1\",class=\"1xx\"}", 2);
	check("drover_responses_total{worker=\"1\",class=\"5xx\"}", 0);
	check("drover_responses_total{worker=\"2\",class=\"5xx\"}", 3);
	check_absent("drover_responses_5xx_total{worker=\"2\"}");
}

static void
test_codes(void **state)
{
	(void)state;
	assert_int_equal(scoreboard_code_of(101), SCOREBOARD_CODE_1XX);
	assert_int_equal(scoreboard_code_of(200), SCOREBOARD_CODE_2XX);
	assert_int_equal(scoreboard_code_of(299), SCOREBOARD_CODE_2XX);
	assert_int_equal(scoreboard_code_of(304), SCOREBOARD_CODE_3XX);
	assert_int_equal(scoreboard_code_of(499), SCOREBOARD_CODE_4XX);
	assert_int_equal(scoreboard_code_of(500), SCOREBOARD_CODE_5XX);
	/* Of a backend. */
	assert_int_equal(scoreboard_code_of(0), SCOREBOARD_CODE_1XX);
	assert_int_equal(scoreboard_code_of(999), SCOREBOARD_CODE_5XX);
}

static void
test_processes(void **state)
{
	(void)state;
	atomic_store(&sb->slots[0].pid, getpid());
	atomic_store(&sb->slots[0].past_cpu_us, 7000000);
	assert_true(sample("process_resident_memory_bytes") > 0);
	assert_true(sample("process_open_fds") >= 1);
	assert_true(sample("process_max_fds") >= sample("process_open_fds"));
	assert_true(
	    sample("process_start_time_seconds") <= (double)time(NULL) + 2);
	check(
	    "drover_worker_open_fds{worker=\"1\"}", sample("process_open_fds"));
	assert_true(
	    sample("drover_worker_cpu_seconds_total{worker=\"1\"}") >= 7);
	/* CPU time used stays in the total; gauges of the dead do not. */
	atomic_store(&sb->slots[0].state, SLOT_DEAD);
	check("drover_worker_cpu_seconds_total{worker=\"1\"}", 7);
	check_absent("drover_worker_open_fds{worker=\"1\"}");
}

static json_t *
cluster(void)
{
	char *text = instance_json(&instance, NOW_NS);
	json_t *root;

	assert_non_null(text);
	root = json_loads(text, 0, NULL);
	free(text);
	assert_non_null(root);
	return root;
}

static json_t *
worker(json_t *root, size_t i)
{
	return json_array_get(json_object_get(root, "workers"), i);
}

static void
test_cluster_shows_a_stall_while_it_lasts(void **state)
{
	struct scoreboard_slot *slot = &sb->slots[1];
	json_t *root;

	(void)state;
	strcpy(slot->activity, "GET /slow");
	atomic_store(&slot->activity_len, 9);
	atomic_store(&slot->busy_since_ns, NOW_NS - 1834000000);
	root = cluster();
	assert_true(json_real_value(
			json_object_get(worker(root, 0), "stalledMs")) == 0);
	assert_null(json_object_get(worker(root, 0), "on"));
	assert_true(json_real_value(
			json_object_get(worker(root, 1), "stalledMs")) == 1834);
	assert_string_equal(
	    json_string_value(json_object_get(worker(root, 1), "on")),
	    "GET /slow");
	json_decref(root);
	check("drover_event_loop_busy_seconds{worker=\"2\"}", 1.834);
}

static void
test_cluster_lists_deaths(void **state)
{
	struct death death = {.slot = 1,
	    .pid = 99,
	    .wait_status = SIGKILL,
	    .uptime_us = 12300000,
	    .activity = "GET /x"};
	json_t *root, *entry;

	(void)state;
	deaths_add(&deaths, &death);
	root = cluster();
	entry = json_array_get(json_object_get(root, "deaths"), 0);
	assert_int_equal(
	    json_integer_value(json_object_get(entry, "worker")), 2);
	assert_string_equal(json_string_value(json_object_get(entry, "cause")),
	    "signal 9 (Killed)");
	assert_string_equal(
	    json_string_value(json_object_get(entry, "on")), "GET /x");
	json_decref(root);
	check("drover_worker_deaths_total{worker=\"2\"}", 1);
	check("drover_worker_starts_total{worker=\"2\"}", 3);
}

static void
test_cluster_survives_bytes_that_are_no_text(void **state)
{
	json_t *root;

	(void)state;
	memcpy(sb->slots[0].activity, "GET /\xff\xfe", 7);
	atomic_store(&sb->slots[0].activity_len, 7);
	atomic_store(&sb->slots[0].busy_since_ns, 1);
	atomic_store(&sb->slots[1].state, 77);
	root = cluster();
	assert_int_equal(
	    json_array_size(json_object_get(root, "workers")), WORKERS);
	json_decref(root);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_totals_outlive_gauges_do_not),
	    TEST(test_nanoseconds_become_seconds),
	    TEST(test_histogram_adds_up),
	    TEST(test_services_are_summed),
	    TEST(test_requests_are_summed_by_route_and_code),
	    TEST(test_a_label_is_escaped),
	    TEST(test_waits_of_a_service),
	    TEST(test_endpoints),
	    TEST(test_responses_by_class),
	    TEST(test_codes),
	    TEST(test_processes),
	    TEST(test_cluster_shows_a_stall_while_it_lasts),
	    TEST(test_cluster_lists_deaths),
	    TEST(test_cluster_survives_bytes_that_are_no_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
