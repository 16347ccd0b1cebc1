/* Goal: a pump moves a message from one stream to another piece by piece, as
 * fast as the taker takes, and in its states: two fake streams, no socket. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "pump.h"

/* ---- a fake stream: what is written to it, and asked of it ---- */

struct fake {
	struct stream stream;
	char text[64]; /* written; `.` for the last piece */
	size_t len;
	unsigned taken, cuts;
	size_t backlog;
	bool gone_by_write;
};

static struct fake *
fake_of(const struct stream *s)
{
	return (struct fake *)(uintptr_t)s;
}

static void
fake_write(struct stream *s, const struct stream_piece *piece)
{
	struct fake *f = fake_of(s);

	if (piece->len > 0)
		memcpy(f->text + f->len, piece->data, piece->len);
	f->len += piece->len;
	if (piece->last)
		f->text[f->len++] = '.';
	s->out = piece->last ? STREAM_OUT_ENDED : STREAM_OUT_BEGUN;
	if (f->gone_by_write)
		s->out = STREAM_OUT_GONE;
}

static void
fake_take(struct stream *s)
{
	fake_of(s)->taken++;
}

static size_t
fake_backlog(const struct stream *s)
{
	return fake_of(s)->backlog;
}

static void
fake_cut(struct stream *s)
{
	fake_of(s)->cuts++;
}

static const struct stream_ops fake_ops = {
    .write = fake_write,
    .take = fake_take,
    .backlog = fake_backlog,
    .cut = fake_cut,
};

static struct fake from, to;
static struct pump pump;

static int
setup(void **state)
{
	(void)state;
	memset(&from, 0, sizeof(from));
	memset(&to, 0, sizeof(to));
	from.stream.ops = to.stream.ops = &fake_ops;
	pump_init(&pump, "request", &from.stream);
	pump_join(&pump, &from.stream, &to.stream);
	return 0;
}

static void
give(const char *text, bool last)
{
	struct stream_piece piece = {
	    .data = text, .len = strlen(text), .last = last};

	pump_on_piece(&pump, &piece);
}

/* ---- pieces ---- */

static void
a_message_goes_piece_by_piece(void **state)
{
	(void)state;
	assert_int_equal(pump.state, PUMP_SHUT);
	pump_open(&pump);
	assert_int_equal(pump.state, PUMP_ASKED);
	assert_int_equal(from.taken, 1);
	give("one", false);
	assert_int_equal(from.taken, 2);
	give("", false);
	assert_int_equal(from.taken, 3);
	give("two", true);
	assert_true(pump_has_ended(&pump));
	assert_int_equal(from.taken, 3);
	assert_string_equal(to.text, "onetwo.");
	assert_int_equal(from.cuts + to.cuts, 0);
}

static void
a_taker_with_a_backlog_is_waited_for(void **state)
{
	(void)state;
	to.backlog = 1;
	pump_open(&pump);
	assert_int_equal(pump.state, PUMP_OPEN);
	pump_ask(&pump);
	assert_int_equal(from.taken, 0);
	to.backlog = 0;
	pump_ask(&pump);
	assert_int_equal(pump.state, PUMP_ASKED);
	/* Asked once, however often. */
	pump_ask(&pump);
	assert_int_equal(from.taken, 1);
	to.backlog = 1;
	give("one", false);
	assert_int_equal(pump.state, PUMP_OPEN);
	assert_int_equal(from.taken, 1);
}

/* A backend that answers early, or a client that has left. */
static void
a_taker_that_is_gone_gets_no_more(void **state)
{
	(void)state;
	pump_open(&pump);
	to.gone_by_write = true;
	give("one", false);
	assert_int_equal(pump.state, PUMP_OPEN);
	assert_int_equal(from.taken, 1);
	pump_ask(&pump);
	assert_int_equal(from.taken, 1);
}

static void
a_message_without_a_body_ends_at_once(void **state)
{
	(void)state;
	pump_end(&pump);
	assert_true(pump_has_ended(&pump));
	pump_ask(&pump);
	assert_int_equal(from.taken, 0);
	assert_int_equal(to.len, 0);
}

/* ---- held: 100 Continue, the breaker's word ---- */

static void
a_held_pump_asks_for_nothing(void **state)
{
	(void)state;
	pump_hold(&pump);
	pump_ask(&pump);
	assert_int_equal(from.taken, 0);
	pump_open(&pump);
	assert_int_equal(from.taken, 1);
}

static void
a_head_may_be_held(void **state)
{
	(void)state;
	pump_open(&pump);
	pump_hold(&pump);
	pump_ask(&pump);
	assert_int_equal(from.taken, 1);
	pump_open(&pump);
	give("one", true);
	assert_string_equal(to.text, "one.");
}

/* Interim responses: heads that ask for the next one. */
static void
heads_follow_each_other(void **state)
{
	(void)state;
	pump_open(&pump);
	for (unsigned i = 0; i < 3; i++) {
		pump_ask_again(&pump);
	}
	assert_int_equal(from.taken, 4);
	/* A client that does not read interim responses stops the pump. */
	to.backlog = 1;
	pump_ask_again(&pump);
	assert_int_equal(pump.state, PUMP_OPEN);
	assert_int_equal(from.taken, 4);
}

/* ---- tries, and tunnels ---- */

static void
another_try_begins_anew(void **state)
{
	static void (*const ways[])(struct pump *) = {
	    pump_hold, pump_open, pump_end};
	struct fake other = {.stream.ops = &fake_ops};

	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		setup(state);
		ways[i](&pump);
		pump_shut(&pump);
		assert_int_equal(pump.state, PUMP_SHUT);
		pump_shut(&pump);
		pump_join(&pump, &from.stream, &other.stream);
		pump_open(&pump);
		assert_int_equal(pump.state, PUMP_ASKED);
		assert_int_equal(from.cuts, 0);
	}
	give("one", false);
	assert_int_equal(to.len, 0);
	assert_string_equal(other.text, "one");
}

static void
a_switch_opens_what_had_ended(void **state)
{
	(void)state;
	pump_end(&pump);
	pump_open(&pump);
	assert_int_equal(from.taken, 1);
	give("bytes", false);
	give("", true);
	assert_string_equal(to.text, "bytes.");
}

/* ---- steps that are not legal ---- */

/* A build that people run cuts the client; this one aborts. */
static void
assert_is_a_bug(void (*step)(struct pump *))
{
	int status = 0;
	pid_t child = fork();

	assert_int_not_equal(child, -1);
	if (child == 0) {
		signal(SIGABRT, SIG_DFL);
		close(STDERR_FILENO);
		step(&pump);
		_exit(from.cuts == 1 ? 1 : 0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) ||
		    (WIFEXITED(status) && WEXITSTATUS(status) == 1));
}

static void
give_last(struct pump *p)
{
	pump_on_piece(p, &(struct stream_piece){.last = true});
}

static void
a_step_that_is_not_legal_is_a_bug(void **state)
{
	(void)state;
	/* Nobody has asked. */
	assert_is_a_bug(give_last);
	assert_is_a_bug(pump_ask_again);
	pump_open(&pump);
	assert_is_a_bug(pump_open);
	give("", true);
	/* The message has ended. */
	assert_is_a_bug(give_last);
	assert_is_a_bug(pump_hold);
	assert_is_a_bug(pump_end);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_message_goes_piece_by_piece),
	    TEST(a_taker_with_a_backlog_is_waited_for),
	    TEST(a_taker_that_is_gone_gets_no_more),
	    TEST(a_message_without_a_body_ends_at_once),
	    TEST(a_held_pump_asks_for_nothing),
	    TEST(a_head_may_be_held),
	    TEST(heads_follow_each_other),
	    TEST(another_try_begins_anew),
	    TEST(a_switch_opens_what_had_ended),
	    TEST(a_step_that_is_not_legal_is_a_bug),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
