/* Goal: with any number of processes on one Redis, a second probe never
 * exists. */
#include "breakers_hosts.h"

#include <sys/mman.h>

#define PROCESSES 4
#define PERIODS 20

/* The shared memory of the forked processes. */
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
	const struct CMUnitTest tests[] = {
	    TEST(never_two_probes),
	};

	signal(SIGPIPE, SIG_IGN);
	log_init(LOG_LEVEL_WARN, LOG_FORMAT_TEXT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
