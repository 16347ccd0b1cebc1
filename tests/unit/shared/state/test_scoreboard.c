/* Goal: the scoreboard outlives its master only when the successor has the same
 * shape and is alone. The tables hold the promised numbers. */
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "scoreboard.h"

static char dir[] = "/tmp/test_scoreboard.XXXXXX";
static char path[sizeof(dir) + 16];

static int
setup(void **state)
{
	(void)state;
	strcpy(dir + strlen(dir) - 6, "XXXXXX");
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/scoreboard", dir);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(dir);
}

/* Of the services' names. */
static const char *prefix = "s";

static struct scoreboard *
open_board(const char *instance, unsigned slots, unsigned services)
{
	static char names[CONFIG_SERVICES_MAX][8];
	struct config_service list[CONFIG_SERVICES_MAX] = {0};
	struct config config = {.state_dir = dir,
	    .instance = (char *)(uintptr_t)instance,
	    .services = list,
	    .service_count = services};
	struct scoreboard *sb;

	for (unsigned i = 0; i < services; i++) {
		snprintf(names[i], sizeof(names[i]), "%s%u", prefix, i);
		list[i].name = names[i];
	}
	sb = scoreboard_open(&config, slots);

	assert_non_null(sb);
	return sb;
}

static void
close_board(struct scoreboard *sb)
{
	assert_int_equal(close(sb->lock_fd), 0);
	assert_int_equal(munmap(sb, sb->bytes), 0);
}

static void
test_new_file(void **state)
{
	struct scoreboard *sb = open_board("a", 3, 2);
	struct stat st;

	(void)state;
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_size, sb->bytes);
	assert_string_equal(sb->instance, "a");
	assert_int_equal(sb->slot_count, 3);
	assert_int_equal(sb->service_count, 2);
	assert_int_equal(atomic_load(&sb->master_pid), getpid());
	assert_int_equal(strspn(sb->incarnation, "0123456789abcdef"), 16);
	assert_int_equal(strlen(sb->incarnation), 16);
	close_board(sb);
}

static void
test_taken_over_with_its_totals(void **state)
{
	struct scoreboard *sb = open_board("a", 2, 1);
	char incarnation[SCOREBOARD_INCARNATION_MAX];

	(void)state;
	strcpy(incarnation, sb->incarnation);
	scoreboard_slot_take(&sb->slots[1], 1);
	counter_add(&sb->slots[1].totals[SCOREBOARD_REQUESTS], 42);
	counter_gauge(&sb->slots[1].connections, 7);
	atomic_store(&sb->slots[1].state, SLOT_DEAD);
	atomic_store(&sb->breakers[0], 99);
	close_board(sb);

	sb = open_board("a", 2, 1);
	assert_string_equal(sb->incarnation, incarnation);
	assert_int_equal(scoreboard_sum(sb, SCOREBOARD_REQUESTS), 42);
	assert_int_equal(atomic_load(&sb->slots[1].generation), 1);
	assert_int_equal(atomic_load(&sb->slots[1].connections), 0);
	assert_int_equal(atomic_load(&sb->slots[1].state), SLOT_EMPTY);
	assert_int_equal(atomic_load(&sb->breakers[0]), 0);
	close_board(sb);
}

static void
check_not_taken_over(const char *instance, unsigned slots, unsigned services)
{
	struct scoreboard *sb = open_board("a", 2, 1);
	char incarnation[SCOREBOARD_INCARNATION_MAX];

	strcpy(incarnation, sb->incarnation);
	counter_add(&sb->slots[0].totals[SCOREBOARD_REQUESTS], 42);
	close_board(sb);
	sb = open_board(instance, slots, services);
	assert_string_not_equal(sb->incarnation, incarnation);
	assert_int_equal(scoreboard_sum(sb, SCOREBOARD_REQUESTS), 0);
	close_board(sb);
}

static void
test_other_shape_is_not_taken_over(void **state)
{
	(void)state;
	check_not_taken_over("b", 2, 1);
	check_not_taken_over("a", 3, 1);
	check_not_taken_over("a", 2, 2);
}

/* Totals are kept by a service's index: another name is another sum. */
static void
test_other_names_are_not_taken_over(void **state)
{
	struct scoreboard *sb = open_board("a", 1, 2);
	char incarnation[SCOREBOARD_INCARNATION_MAX];

	(void)state;
	strcpy(incarnation, sb->incarnation);
	close_board(sb);
	sb = open_board("a", 1, 2);
	assert_string_equal(sb->incarnation, incarnation);
	close_board(sb);
	prefix = "t";
	sb = open_board("a", 1, 2);
	prefix = "s";
	assert_string_not_equal(sb->incarnation, incarnation);
	close_board(sb);
}

/* Histograms are kept by a route's index, too. */
static void
test_other_routes_are_not_taken_over(void **state)
{
	struct config_series series[] = {{"", -1}, {"/a", -1}};
	struct config config = {.state_dir = dir,
	    .instance = (char *)(uintptr_t)"a",
	    .series = series,
	    .series_count = 2};
	struct scoreboard *sb = scoreboard_open(&config, 1);

	(void)state;
	assert_non_null(sb);
	duration_add(
	    scoreboard_requests(sb, 0) + 2 * SCOREBOARD_CODE_COUNT - 1, 7);
	close_board(sb);
	sb = scoreboard_open(&config, 1);
	assert_non_null(sb);
	assert_int_equal(
	    (scoreboard_requests(sb, 0) + 2 * SCOREBOARD_CODE_COUNT - 1)
		->sum_us,
	    7);
	close_board(sb);
	series[1].path = "/b";
	sb = scoreboard_open(&config, 1);
	assert_non_null(sb);
	assert_int_equal(
	    (scoreboard_requests(sb, 0) + 2 * SCOREBOARD_CODE_COUNT - 1)
		->sum_us,
	    0);
	close_board(sb);
}

/* The last histogram of each slot ends before the next slot's, and the file. */
static void
test_histograms_lie_behind_the_slots(void **state)
{
	struct config_series series[3] = {{"", -1}, {"/a", -1}, {"/b", -1}};
	struct config config = {.state_dir = dir,
	    .instance = (char *)(uintptr_t)"a",
	    .series = series,
	    .series_count = 3};
	struct scoreboard *sb = scoreboard_open(&config, 2);
	const char *begin = (const char *)sb;

	(void)state;
	assert_non_null(sb);
	assert_ptr_equal(scoreboard_requests(sb, 0), &sb->slots[2]);
	assert_ptr_equal(scoreboard_requests(sb, 1),
	    scoreboard_requests(sb, 0) + 3 * SCOREBOARD_CODE_COUNT);
	assert_ptr_equal(scoreboard_requests(sb, 1) + 3 * SCOREBOARD_CODE_COUNT,
	    begin + sb->bytes);
	close_board(sb);
}

static void
test_broken_file_is_replaced(void **state)
{
	int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	(void)state;
	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, "junk", 4), 4);
	close(fd);
	close_board(open_board("a", 1, 0));
}

static void
test_not_taken_from_a_living_writer(void **state)
{
	struct scoreboard *sb = open_board("a", 1, 0);
	char incarnation[SCOREBOARD_INCARNATION_MAX];
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		pause();
		_exit(0);
	}
	assert_true(pid > 0);
	strcpy(incarnation, sb->incarnation);
	/* The master goes, the worker stays. */
	close_board(sb);
	sb = open_board("a", 1, 0);
	assert_string_not_equal(sb->incarnation, incarnation);
	close_board(sb);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void
test_taken_over_from_killed_workers(void **state)
{
	struct scoreboard *sb = open_board("a", 1, 0);
	char incarnation[SCOREBOARD_INCARNATION_MAX];
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		pause();
		_exit(0);
	}
	assert_true(pid > 0);
	scoreboard_slot_take(&sb->slots[0], pid);
	strcpy(incarnation, sb->incarnation);
	close_board(sb);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	sb = open_board("a", 1, 0);
	assert_string_equal(sb->incarnation, incarnation);
	assert_int_equal(atomic_load(&sb->slots[0].pid), 0);
	close_board(sb);
}

static void
test_missing_directory(void **state)
{
	static char missing[] = "/nonexistent/dir", a[] = "a";
	const struct config config = {.state_dir = missing, .instance = a};

	(void)state;
	assert_null(scoreboard_open(&config, 1));
}

static void
test_endpoints(void **state)
{
	struct scoreboard *sb = open_board("a", 2, 1);

	(void)state;
	for (uint64_t key = 1; key <= SCOREBOARD_ENDPOINTS; key++) {
		/* All begin to look in the same place. */
		uint32_t id = scoreboard_endpoint_id(sb, key << 32);

		assert_true(id < SCOREBOARD_ENDPOINTS);
		assert_int_equal(id, scoreboard_endpoint_id(sb, key << 32));
	}
	assert_int_equal(scoreboard_endpoint_id(sb, 12345),
	    (uint32_t)SCOREBOARD_NO_ENDPOINT);
	close_board(sb);
}

static void
test_load_counts_the_living(void **state)
{
	struct scoreboard *sb = open_board("a", 3, 1);
	uint32_t id = scoreboard_endpoint_id(sb, 5);

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		scoreboard_slot_take(&sb->slots[i], 1);
		counter_gauge(&sb->slots[i].endpoint_in_flight[id], 1 << i);
	}
	assert_int_equal(scoreboard_endpoint_load(sb, id), 7);
	counter_gauge(&sb->slots[0].endpoint_in_flight[id], -1);
	atomic_store(&sb->slots[1].state, SLOT_DEAD);
	assert_int_equal(scoreboard_endpoint_load(sb, id), 4);
	scoreboard_slot_take(&sb->slots[2], 1);
	assert_int_equal(scoreboard_endpoint_load(sb, id), 0);
	close_board(sb);
}

static void
test_busy_since_the_future_is_not_busy(void **state)
{
	struct scoreboard_slot *slot = calloc(1, sizeof(*slot) + 64);

	(void)state;
	assert_non_null(slot);
	assert_int_equal(scoreboard_busy_ns(slot, 1000), 0);
	atomic_store(&slot->busy_since_ns, 400);
	assert_int_equal(scoreboard_busy_ns(slot, 1000), 600);
	assert_int_equal(scoreboard_busy_ns(slot, 300), 0);
	free(slot);
}

static void
test_activity_is_text(void **state)
{
	struct scoreboard *sb = open_board("a", 1, 0);
	struct scoreboard_slot *slot = &sb->slots[0];
	char buf[SCOREBOARD_ACTIVITY_MAX];

	(void)state;
	assert_string_equal(scoreboard_activity(slot, buf), "");
	memset(slot->activity, 'x', sizeof(slot->activity));
	atomic_store(&slot->activity_len, 3);
	assert_string_equal(scoreboard_activity(slot, buf), "xxx");
	atomic_store(&slot->activity_len, UINT32_MAX);
	assert_int_equal(strlen(scoreboard_activity(slot, buf)),
	    SCOREBOARD_ACTIVITY_MAX - 1);
	close_board(sb);
}

static void
test_names(void **state)
{
	(void)state;
	for (int i = 0; i < SCOREBOARD_TOTAL_COUNT; i++) {
		assert_true(strlen(scoreboard_total_str(i)) > 0);
		assert_true(strlen(scoreboard_total_help(i)) > 0);
	}
	assert_string_equal(
	    scoreboard_service_total_str(SCOREBOARD_SERVICE_REJECTED),
	    "service_rejected");
	assert_string_equal(slot_state_str(SLOT_DRAINING), "draining");
	assert_string_equal(slot_state_str((enum slot_state)77), "unknown");
	assert_string_equal(redis_state_str(REDIS_STATE_DOWN), "down");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_new_file),
	    TEST(test_taken_over_with_its_totals),
	    TEST(test_other_shape_is_not_taken_over),
	    TEST(test_other_names_are_not_taken_over),
	    TEST(test_other_routes_are_not_taken_over),
	    TEST(test_histograms_lie_behind_the_slots),
	    TEST(test_broken_file_is_replaced),
	    TEST(test_not_taken_from_a_living_writer),
	    TEST(test_taken_over_from_killed_workers),
	    TEST(test_missing_directory),
	    TEST(test_endpoints),
	    TEST(test_load_counts_the_living),
	    TEST(test_busy_since_the_future_is_not_busy),
	    TEST(test_activity_is_text),
	    TEST(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
