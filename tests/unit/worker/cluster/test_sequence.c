/* Goal: numbers are unique and increasing over processes, also when
 * connections die under them; without Redis they fail at once. */
#include "clock.h"
#include "sequence.h"

#include <sys/mman.h>

#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "log.h"
#include "redis_server.h"

#define PROCESSES 2
#define EACH 10000
#define WIDTH 4 /* requests under way at once, per process */
#define KILLS 20

/* The memory shared by the processes and the test. */
struct board {
	struct scoreboard *scoreboard;
	_Atomic uint64_t taken; /* numbers so far */
	uint64_t numbers[PROCESSES][EACH];
};

struct process;

struct request {
	struct sequence_wait wait;
	struct process *process;
};

struct process {
	struct loop *loop;
	struct redis *redis;
	struct sequence *sequence;
	struct board *board;
	uint64_t *numbers;
	unsigned slot, begun, served, failed;
	bool up, down, done, called;
	struct timer again;
	struct request requests[WIDTH];
};

static char cluster[] = "test";
static char instance[] = "test";
static struct config config = {.instance = instance, .cluster = cluster};

static void
on_up(void *arg)
{
	struct process *p = arg;

	p->up = true;
	if (p->sequence != NULL)
		sequence_on_up(p->sequence);
}

static void
on_down(void *arg, const char *reason)
{
	struct process *p = arg;

	(void)reason;
	p->down = true;
}

static void
on_unreachable(void *arg, const char *reason)
{
	struct process *p = arg;

	(void)reason;
	sequence_on_unreachable(p->sequence);
}

static void
process_open(struct process *p, const struct redis_server *server,
    struct board *board, unsigned slot)
{
	struct redis_options options = {
	    .url = redis_server_url(server),
	    .name = "test",
	    .scripts = {&sequence_script},
	    .script_count = 1,
	    .on_up = on_up,
	    .on_down = on_down,
	    .on_unreachable = on_unreachable,
	    .arg = p,
	};

	memset(p, 0, sizeof(*p));
	p->loop = loop_new();
	p->board = board;
	p->slot = slot;
	p->numbers = board->numbers[slot];
	p->redis = redis_new(p->loop, NULL, &options);
	p->sequence =
	    sequence_new(p->loop, p->redis, &config, board->scoreboard, slot);
	assert_non_null(p->sequence);
}

static void
process_close(struct process *p)
{
	sequence_free(p->sequence);
	redis_free(p->redis);
	loop_free(p->loop);
}

static void
on_number(void *arg, bool ok, uint64_t number)
{
	struct request *r = arg;
	struct process *p = r->process;

	if (ok) {
		p->numbers[p->served++] = number;
		atomic_fetch_add(&p->board->taken, 1);
	} else {
		p->failed++;
		p->begun--;
	}
	p->done = p->served == EACH;
	/* A client whose request failed comes again a little later. */
	if (!ok && !timer_is_pending(&p->again))
		loop_timer_after(p->loop, &p->again, 1000);
	if (ok && p->begun < EACH) {
		p->begun++;
		sequence_take(p->sequence, &r->wait, on_number, r);
	}
}

static void
fill(void *arg)
{
	struct process *p = arg;

	for (int i = 0; i < WIDTH; i++) {
		struct request *r = &p->requests[i];

		if (r->wait.queue != NULL || p->begun == EACH)
			continue;
		p->begun++;
		r->process = p;
		sequence_take(p->sequence, &r->wait, on_number, r);
	}
}

static int
child(const struct redis_server *server, struct board *board, unsigned slot)
{
	struct process p;
	bool done;

	process_open(&p, server, board, slot);
	timer_init(&p.again, fill, &p);
	done = redis_server_run(p.loop, &p.up);
	fill(&p);
	done = done && redis_server_run(p.loop, &p.done);
	loop_timer_clear(p.loop, &p.again);
	process_close(&p);
	return done ? 0 : 1;
}

static int
compare(const void *a, const void *b)
{
	uint64_t x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return (x > y) - (x < y);
}

static struct board *
board_open(const struct redis_server *server)
{
	struct board *board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_ptr_not_equal(board, MAP_FAILED);
	config.state_dir = (char *)(uintptr_t)server->dir;
	board->scoreboard = scoreboard_open(&config, PROCESSES);
	assert_non_null(board->scoreboard);
	return board;
}

static void
board_close(struct board *board, const struct redis_server *server)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/scoreboard", server->dir);
	unlink(path);
	munmap(board, sizeof(*board));
}

static void
unique_while_connections_die(void **state)
{
	struct redis_server *server = *state;
	struct board *board = board_open(server);
	pid_t pids[PROCESSES];
	long long kills = 0;
	uint64_t last = 0;
	uint64_t end_ns = clock_ns() + UINT64_C(20000000000);
	uint64_t *all = &board->numbers[0][0];

	for (unsigned i = 0; i < PROCESSES; i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			_exit(child(server, board, i));
	}
	/* Each waits for progress, so that it hits what is under way. */
	while (
	    kills < KILLS && last < PROCESSES * EACH && clock_ns() < end_ns) {
		while (
		    atomic_load(&board->taken) == last && clock_ns() < end_ns)
			sched_yield();
		kills += redis_server_ask(
		    server, "CLIENT KILL TYPE normal SKIPME yes");
		last = atomic_load(&board->taken);
	}
	for (unsigned i = 0; i < PROCESSES; i++) {
		int status;

		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	assert_true(kills >= KILLS);
	/* Increasing: a process asks only for one block at a time. */
	for (unsigned i = 0; i < PROCESSES; i++)
		for (unsigned n = 1; n < EACH; n++)
			assert_true(
			    board->numbers[i][n] > board->numbers[i][n - 1]);
	qsort(all, (size_t)PROCESSES * EACH, sizeof(*all), compare);
	for (unsigned n = 1; n < PROCESSES * EACH; n++)
		assert_int_not_equal(all[n], all[n - 1]);
	/* Asked again is not asked anew: at most what was under way when a
	 * waiting list ran into its deadline could be missing. */
	assert_int_equal(redis_server_ask(server, "GET drover:{test}:count"),
	    PROCESSES * EACH);
	board_close(board, server);
}

static void
on_answer(void *arg, bool ok, uint64_t number)
{
	struct process *p = arg;

	p->called = true;
	p->failed += !ok;
	p->numbers[0] = number;
}

/* Whoever came before that was known hears of it, too. */
static void
fails_at_once_without_redis(void **state)
{
	struct redis_server *server = *state;
	struct board *board = board_open(server);
	struct sequence_wait wait = {0}, gone = {0};
	struct process p;

	redis_server_kill(server);
	process_open(&p, server, board, 0);
	for (unsigned i = 1; i <= 2; i++) {
		p.called = false;
		sequence_take(p.sequence, &wait, on_answer, &p);
		sequence_take(p.sequence, &gone, on_answer, &p);
		sequence_cancel(&gone);
		assert_false(p.called);
		assert_true(redis_server_run(p.loop, &p.called));
		assert_int_equal(p.failed, i);
	}
	assert_int_equal(board->scoreboard->slots[0].sequence_block, 0);
	process_close(&p);
	board_close(board, server);
}

/* As in the successor of a worker that was killed. */
static void
waits_for_the_first_connection(void **state)
{
	struct redis_server *server = *state;
	struct board *board = board_open(server);
	struct sequence_wait wait = {0};
	struct process p;

	process_open(&p, server, board, 0);
	sequence_take(p.sequence, &wait, on_answer, &p);
	assert_false(redis_is_up(p.redis));
	assert_true(redis_server_run(p.loop, &p.called));
	assert_int_equal(p.failed, 0);
	assert_int_equal(p.numbers[0], 1);
	process_close(&p);
	board_close(board, server);
}

/* The stopped server still gets the command, and does it once it goes on:
 * done, but nobody heard. */
static void
a_lost_reply_is_asked_again(void **state)
{
	struct redis_server *server = *state;
	struct board *board = board_open(server);
	struct sequence_wait wait = {0};
	struct process p;

	process_open(&p, server, board, 0);
	assert_true(redis_server_run(p.loop, &p.up));
	kill(server->pid, SIGSTOP);
	sequence_take(p.sequence, &wait, on_answer, &p);
	assert_true(redis_server_run(p.loop, &p.down));
	assert_false(p.called);
	kill(server->pid, SIGCONT);
	assert_true(redis_server_run(p.loop, &p.called));
	assert_int_equal(p.failed, 0);
	assert_int_equal(p.numbers[0], 1);
	assert_int_equal(
	    redis_server_ask(server, "GET drover:{test}:count"), 1);
	process_close(&p);
	board_close(board, server);
}

static void
has_a_deadline_and_loses_no_number(void **state)
{
	struct redis_server *server = *state;
	struct board *board = board_open(server);
	struct sequence_wait wait = {0}, gone = {0};
	struct process p;
	uint64_t from_ns;

	process_open(&p, server, board, 1);
	assert_true(redis_server_run(p.loop, &p.up));
	kill(server->pid, SIGSTOP);
	from_ns = clock_ns();
	sequence_take(p.sequence, &wait, on_answer, &p);
	sequence_take(p.sequence, &gone, on_answer, &p);
	assert_true(redis_server_run(p.loop, &p.called));
	assert_int_equal(p.failed, 2);
	assert_in_range(clock_ns() - from_ns,
	    (uint64_t)(SEQUENCE_TIMEOUT_MS - 100) * 1000000,
	    (uint64_t)(SEQUENCE_TIMEOUT_MS + 500) * 1000000);
	kill(server->pid, SIGCONT);
	p.up = p.called = false;
	assert_true(redis_server_run(p.loop, &p.up));
	sequence_take(p.sequence, &wait, on_answer, &p);
	assert_true(redis_server_run(p.loop, &p.called));
	/* The block that nobody waited for is not used again. */
	assert_int_equal(p.numbers[0], 3);
	process_close(&p);
	board_close(board, server);
}

int
main(void)
{
#define TEST(f)                                                                \
	cmocka_unit_test_setup_teardown(                                       \
	    f, redis_server_setup, redis_server_teardown)
	const struct CMUnitTest tests[] = {
	    TEST(unique_while_connections_die),
	    TEST(fails_at_once_without_redis),
	    TEST(waits_for_the_first_connection),
	    TEST(a_lost_reply_is_asked_again),
	    TEST(has_a_deadline_and_loses_no_number),
	};

	signal(SIGPIPE, SIG_IGN);
	log_init(LOG_LEVEL_WARN, LOG_FORMAT_TEXT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
