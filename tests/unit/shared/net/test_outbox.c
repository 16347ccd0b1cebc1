/* Goal: what is written in an iteration leaves at its end, in order, whatever
 * comes between, and whoever wrote it hears if it could not. */
#include "outbox_scene.h"

static void
write_to_two(struct scene *s)
{
	put(&s->ends[0], "one");
	put(&s->ends[1], "two");
	assert_nothing_came(&s->ends[0]);
	assert_int_equal(io_backlog(&s->ends[0].io), 0);
}

static void
test_it_leaves_at_the_end(void **state)
{
	struct scene *s = *state;

	for (int i = 0; i < 2; i++) {
		iterate(s, write_to_two);
		assert_came(&s->ends[0], "one");
		assert_came(&s->ends[1], "two");
	}
}

static void
write_at_once(struct scene *s)
{
	put(&s->ends[0], "now");
	assert_came(&s->ends[0], "now");
}

static void
batch_from(struct scene *s, unsigned ready_min)
{
	outbox_free(s->box);
	s->box = outbox_new(s->loop, ready_min);
	assert_non_null(s->box);
	for (size_t i = 0; i < ENDS; i++)
		io_set_outbox(&s->ends[i].io, s->box, false);
}

static void
test_a_small_iteration_is_not_batched(void **state)
{
	struct scene *s = *state;

	batch_from(s, 2);
	assert_int_equal(send(s->ends[1].far, "!", 1, 0), 1);
	iterate(s, write_at_once);
	for (size_t i = 1; i < ENDS; i++)
		assert_int_equal(send(s->ends[i].far, "!", 1, 0), 1);
	iterate(s, write_to_two);
	assert_came(&s->ends[0], "one");
}

static void
write_many_to_one(struct scene *s)
{
	s->ends[0].io.writer.expects_more = true;
	put(&s->ends[0], "one, ");
	s->ends[0].io.writer.expects_more = false;
	put(&s->ends[0], "and the last");
	assert_nothing_came(&s->ends[0]);
}

static void
test_a_short_iteration_that_writes_again(void **state)
{
	struct scene *s = *state;

	batch_from(s, 2);
	iterate(s, write_many_to_one);
	assert_came(&s->ends[0], "one, and the last");
	iterate(s, write_at_once);
}

static void
write_by_turns(struct scene *s)
{
	put(&s->ends[0], "a");
	put(&s->ends[0], "b");
	put(&s->ends[1], "c");
	put(&s->ends[0], "d, which is longer than what is free behind b");
	put(&s->ends[0], "e");
	put(&s->ends[1], "f");
}

static void
test_order_of_one(void **state)
{
	struct scene *s = *state;

	iterate(s, write_by_turns);
	assert_came(
	    &s->ends[0], "abd, which is longer than what is free behind be");
	assert_came(&s->ends[1], "cf");
}

static void
write_first_last(struct scene *s)
{
	put(&s->ends[0], "answer ");
	put(&s->ends[1], "request ");
}

/* Both write to one stream, which shows who was first. */
static void
test_order_of_kinds(void **state)
{
	struct scene *s = *state;

	io_close(&s->ends[1].io);
	open_end(s, &s->ends[1],
	    fcntl(s->ends[0].io.watch.fd, F_DUPFD_CLOEXEC, 0), true);
	iterate(s, write_first_last);
	assert_came(&s->ends[0], "request answer ");
}

static void
write_little_and_much(struct scene *s)
{
	char much[MANY + 1];

	memset(much, 'x', MANY);
	much[MANY] = '\0';
	put(&s->ends[0], "little");
	put(&s->ends[0], much);
	/* Both are gone, in this order. */
	assert_int_equal(recv(s->ends[0].far, much, 6, 0), 6);
	assert_memory_equal(much, "little", 6);
	assert_int_equal(recv(s->ends[0].far, much, MANY, 0), MANY);
	put(&s->ends[0], "more");
}

static void
test_much_leaves_at_once(void **state)
{
	struct scene *s = *state;

	iterate(s, write_little_and_much);
	assert_came(&s->ends[0], "more");
}

static void
write_and_splice(struct scene *s)
{
	struct pipe_pool *pipes = pipe_pool_new(1);

	assert_int_equal(send(s->ends[1].far, "body", 4, 0), 4);
	put(&s->ends[0], "head, ");
	assert_int_equal(
	    io_splice(&s->ends[0].io, &s->ends[1].io, pipes, 1000), 4);
	assert_came(&s->ends[0], "head, body");
	pipe_pool_free(pipes);
}

static void
test_spliced_behind_it(void **state)
{
	struct scene *s = *state;

	iterate(s, write_and_splice);
	assert_nothing_came(&s->ends[0]);
}

static void
write_and_look(struct scene *s)
{
	put(&s->ends[0], "before");
	outbox_send(s->box);
	assert_came(&s->ends[0], "before");
	put(&s->ends[0], "behind");
	put(&s->ends[1], "other");
	assert_nothing_came(&s->ends[1]);
}

static void
test_sent_before_the_end(void **state)
{
	struct scene *s = *state;

	iterate(s, write_and_look);
	assert_came(&s->ends[0], "behind");
	assert_came(&s->ends[1], "other");
}

static void
write_until_full(struct scene *s)
{
	char text[1001];
	size_t batched;

	memset(text, 'x', 1000);
	text[1000] = '\0';
	put(&s->ends[0], "held");
	for (batched = 0; batched < 1000; batched += 1) {
		put(&s->ends[1], text);
		if (recv(s->ends[1].far, text, 1, MSG_PEEK) == 1)
			break;
	}
	assert_in_range(batched, 10, 999);
	/* It is there still, and nobody else's order changes. */
	assert_nothing_came(&s->ends[0]);
	put(&s->ends[0], "!");
}

static void
test_a_full_outbox(void **state)
{
	struct scene *s = *state;

	iterate(s, write_until_full);
	assert_came(&s->ends[0], "held!");
}

static void
write_and_close(struct scene *s)
{
	put(&s->ends[0], "last words");
	io_close(&s->ends[0].io);
	put(&s->ends[1], "end");
	io_finish(&s->ends[1].io);
}

static void
test_closed_with_batched_bytes(void **state)
{
	struct scene *s = *state;
	char buf[16];

	iterate(s, write_and_close);
	assert_int_equal(recv(s->ends[0].far, buf, sizeof(buf), 0), 10);
	assert_int_equal(recv(s->ends[0].far, buf, sizeof(buf), 0), 0);
	assert_int_equal(recv(s->ends[1].far, buf, sizeof(buf), 0), 3);
	assert_int_equal(recv(s->ends[1].far, buf, sizeof(buf), 0), 0);
}

static void
write_to_a_deaf_one(struct scene *s)
{
	put(&s->ends[0], "nobody");
	put(&s->ends[1], "somebody");
	close(s->ends[0].far);
	s->ends[0].far = -1;
	assert_int_equal(s->ends[0].calls, 0);
}

static void
test_it_could_not_leave(void **state)
{
	struct scene *s = *state;

	iterate(s, write_to_a_deaf_one);
	assert_true(s->ends[0].io.broken);
	assert_false(s->ends[0].io.has_sent);
	assert_true(s->ends[0].calls > 0);
	assert_came(&s->ends[1], "somebody");
	assert_true(s->ends[1].io.has_sent);
	assert_int_equal(s->ends[1].calls, 0);
}

static void
write_to_a_deaf_one_that_tells(struct scene *s)
{
	write_to_a_deaf_one(s);
	s->ends[0].tells = &s->ends[2];
}

static void
test_a_notified_writer_writes(void **state)
{
	struct scene *s = *state;

	iterate(s, write_to_a_deaf_one_that_tells);
	assert_came(&s->ends[1], "somebody");
	assert_came(&s->ends[2], "told");
}

static void
write_to_two_deaf_ones(struct scene *s)
{
	for (size_t i = 0; i < 2; i++) {
		put(&s->ends[i], "nobody");
		close(s->ends[i].far);
		s->ends[i].far = -1;
	}
	/* The first owner called closes the other. */
	s->ends[0].closes = &s->ends[1];
	s->ends[1].closes = &s->ends[0];
}

static void
test_a_notified_writer_closes_others(void **state)
{
	struct scene *s = *state;

	iterate(s, write_to_two_deaf_ones);
	assert_true((s->ends[0].calls > 0) != (s->ends[1].calls > 0));
	iterate(s, do_nothing);
}

/* Fills what the kernel takes, to some bytes. */
static void
fill_socket(struct scene *s)
{
	static char much[65536];
	int fd = s->ends[0].io.watch.fd;

	while (send(fd, much, sizeof(much), MSG_DONTWAIT) > 0)
		continue;
	while (send(fd, much, 1, MSG_DONTWAIT) > 0)
		continue;
	put(&s->ends[0], "held");
}

static void
test_the_kernel_is_full(void **state)
{
	struct scene *s = *state;
	char buf[65536];
	ssize_t n, last = 0;

	iterate(s, fill_socket);
	assert_int_equal(io_backlog(&s->ends[0].io), 4);
	assert_int_equal(s->ends[0].calls, 1);
	while ((n = recv(s->ends[0].far, buf, sizeof(buf), 0)) > 0)
		last = n;
	assert_true(last > 0);
	while (io_backlog(&s->ends[0].io) > 0)
		iterate(s, do_nothing);
	assert_came(&s->ends[0], "held");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_it_leaves_at_the_end),
	    TEST(test_a_small_iteration_is_not_batched),
	    TEST(test_a_short_iteration_that_writes_again),
	    TEST(test_order_of_one),
	    TEST(test_order_of_kinds),
	    TEST(test_much_leaves_at_once),
	    TEST(test_spliced_behind_it),
	    TEST(test_sent_before_the_end),
	    TEST(test_a_full_outbox),
	    TEST(test_closed_with_batched_bytes),
	    TEST(test_it_could_not_leave),
	    TEST(test_a_notified_writer_writes),
	    TEST(test_a_notified_writer_closes_others),
	    TEST(test_the_kernel_is_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
