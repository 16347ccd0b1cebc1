/* Goal: the pool keeps its cap and its count, and a chain returns its bytes in
 * order, for any sizes of writes and reads. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "buffer.h"

#define CAP 8

static int
setup(void **state)
{
	*state = buffer_pool_new(CAP);
	return *state == NULL ? -1 : 0;
}

static int
teardown(void **state)
{
	assert_int_equal(buffer_pool_used(*state), 0);
	buffer_pool_free(*state);
	return 0;
}

static void
test_pool_has_a_cap(void **state)
{
	struct buffer *b[CAP];

	for (size_t i = 0; i < CAP; i++) {
		b[i] = buffer_get(*state);
		assert_non_null(b[i]);
		assert_int_equal(buffer_pool_used(*state), i + 1);
	}
	assert_null(buffer_get(*state));
	assert_int_equal(buffer_pool_used(*state), CAP);
	buffer_put(*state, b[3]);
	b[3] = buffer_get(*state);
	assert_non_null(b[3]);
	assert_null(buffer_get(*state));
	for (size_t i = 0; i < CAP; i++)
		buffer_put(*state, b[i]);
	buffer_put(*state, NULL);
}

/* The block used last, unless taken meanwhile. */
static void
test_block_to_read_into_is_the_last(void **state)
{
	struct buffer *kept = buffer_get(*state);
	struct buffer *read = buffer_get_to_read(*state);

	buffer_put(*state, read);
	buffer_put(*state, kept);
	assert_ptr_equal(buffer_get_to_read(*state), read);
	assert_ptr_equal(buffer_get(*state), kept);
	assert_int_equal(buffer_pool_used(*state), 2);
	buffer_put(*state, read);
	buffer_put(*state, kept);
}

static void
test_used_block_comes_back_empty(void **state)
{
	struct buffer *b = buffer_get(*state);

	assert_int_equal(buffer_len(b), 0);
	assert_int_equal(buffer_room(b), BUFFER_BYTES);
	b->end = BUFFER_BYTES;
	b->start = 17;
	b->next = b;
	assert_int_equal(buffer_len(b), BUFFER_BYTES - 17);
	assert_int_equal(buffer_room(b), 0);
	buffer_put(*state, b);
	b = buffer_get(*state);
	assert_int_equal(buffer_len(b), 0);
	assert_int_equal(buffer_room(b), BUFFER_BYTES);
	assert_null(b->next);
	buffer_put(*state, b);
}

/* More blocks than the pool keeps for reuse come and go. */
static void
test_many_blocks(void **state)
{
	enum { MANY = 600 };
	struct buffer_pool *pool = buffer_pool_new(MANY);
	struct buffer *b[MANY];

	(void)state;
	assert_non_null(pool);
	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < MANY; i++) {
			b[i] = buffer_get(pool);
			assert_non_null(b[i]);
			memset(b[i]->data, round, BUFFER_BYTES);
		}
		assert_null(buffer_get(pool));
		for (size_t i = 0; i < MANY; i++)
			buffer_put(pool, b[i]);
		assert_int_equal(buffer_pool_used(pool), 0);
	}
	buffer_pool_free(pool);
	buffer_pool_free(NULL);
}

static void
test_compact(void **state)
{
	struct buffer *b = buffer_get(*state);

	memcpy(b->data, "abcdef", 6);
	b->end = 6;
	buffer_compact(b);
	assert_int_equal(b->start, 0);
	assert_int_equal(b->end, 6);
	b->start = 2;
	buffer_compact(b);
	assert_int_equal(b->start, 0);
	assert_int_equal(buffer_len(b), 4);
	assert_memory_equal(b->data, "cdef", 4);
	b->start = b->end;
	buffer_compact(b);
	assert_int_equal(b->end, 0);
	assert_int_equal(buffer_room(b), BUFFER_BYTES);
	/* The two places overlap. */
	for (size_t i = 0; i < BUFFER_BYTES; i++)
		b->data[i] = (char)(i % 251);
	b->start = 1;
	b->end = BUFFER_BYTES;
	buffer_compact(b);
	assert_int_equal(b->end, BUFFER_BYTES - 1);
	for (size_t i = 0; i < b->end; i++)
		assert_int_equal(b->data[i], (char)((i + 1) % 251));
	buffer_put(*state, b);
}

static void
test_empty_chain(void **state)
{
	struct buffer_chain chain = {0};
	struct iovec iov[2];

	assert_int_equal(buffer_chain_add(&chain, *state, "", 0), 0);
	assert_int_equal(buffer_chain_add(&chain, *state, NULL, 0), 0);
	assert_int_equal(chain.bytes, 0);
	assert_int_equal(buffer_chain_iov(&chain, iov, 2), 0);
	buffer_chain_consume(&chain, *state, 0);
	buffer_chain_clear(&chain, *state);
	assert_int_equal(buffer_pool_used(*state), 0);
}

static void
test_chain_spans_blocks(void **state)
{
	enum { BYTES = 3 * BUFFER_BYTES + 5 };
	struct buffer_chain chain = {0};
	struct iovec iov[8];
	char *data = malloc(BYTES);
	size_t at = 0;
	int count;

	assert_non_null(data);
	for (size_t i = 0; i < BYTES; i++)
		data[i] = (char)(i % 253);
	assert_int_equal(buffer_chain_add(&chain, *state, data, BYTES), 0);
	assert_int_equal(chain.bytes, BYTES);
	assert_int_equal(buffer_pool_used(*state), 4);
	/* No more pieces than asked for. */
	assert_int_equal(buffer_chain_iov(&chain, iov, 2), 2);
	count = buffer_chain_iov(&chain, iov, 8);
	assert_int_equal(count, 4);
	for (int i = 0; i < count; i++) {
		assert_memory_equal(iov[i].iov_base, data + at, iov[i].iov_len);
		at += iov[i].iov_len;
	}
	assert_int_equal(at, BYTES);
	/* To a block's end, and one byte further. */
	buffer_chain_consume(&chain, *state, BUFFER_BYTES);
	assert_int_equal(buffer_pool_used(*state), 3);
	buffer_chain_consume(&chain, *state, BUFFER_BYTES + 1);
	assert_int_equal(buffer_pool_used(*state), 2);
	assert_int_equal(buffer_chain_iov(&chain, iov, 8), 2);
	assert_memory_equal(iov[0].iov_base, data + 2 * BUFFER_BYTES + 1, 8);
	buffer_chain_clear(&chain, *state);
	assert_int_equal(chain.bytes, 0);
	assert_int_equal(buffer_pool_used(*state), 0);
	/* And is good for more. */
	assert_int_equal(buffer_chain_add(&chain, *state, "again", 5), 0);
	assert_int_equal(buffer_chain_iov(&chain, iov, 8), 1);
	assert_memory_equal(iov[0].iov_base, "again", 5);
	buffer_chain_clear(&chain, *state);
	free(data);
}

static void
test_chain_meets_the_cap(void **state)
{
	struct buffer_chain chain = {0};
	char *data = calloc(CAP + 1, BUFFER_BYTES);

	assert_non_null(data);
	assert_int_equal(
	    buffer_chain_add(&chain, *state, data, CAP * BUFFER_BYTES), 0);
	errno = 0;
	assert_int_equal(buffer_chain_add(&chain, *state, data, 1), -1);
	assert_int_equal(errno, ENOBUFS);
	assert_int_equal(chain.bytes, CAP * BUFFER_BYTES);
	buffer_chain_clear(&chain, *state);
	errno = 0;
	assert_int_equal(buffer_chain_add(&chain, *state, data,
			     (CAP + 1) * (size_t)BUFFER_BYTES),
	    -1);
	assert_int_equal(errno, ENOBUFS);
	/* A part may be written; the owner can still give all blocks back. */
	buffer_chain_clear(&chain, *state);
	assert_int_equal(buffer_pool_used(*state), 0);
	free(data);
}

/* A stream of numbers in at the tail and out at the head. */
static void
test_chain_is_a_queue(void **state)
{
	struct buffer_chain chain = {0};
	unsigned char in = 0, out = 0, piece[9000];

	srandom(2);
	for (int step = 0; step < 5000; step++) {
		size_t len = (size_t)random() % sizeof(piece);
		struct iovec iov[CAP];
		size_t take;
		int count;

		if (chain.bytes + len <= 4 * BUFFER_BYTES) {
			for (size_t i = 0; i < len; i++)
				piece[i] = in++;
			assert_int_equal(
			    buffer_chain_add(&chain, *state, piece, len), 0);
		}
		count = buffer_chain_iov(&chain, iov, CAP);
		take =
		    chain.bytes != 0 ? (size_t)random() % (chain.bytes + 1) : 0;
		for (size_t left = take, i = 0; left > 0; i++) {
			const unsigned char *at = iov[i].iov_base;
			size_t n =
			    iov[i].iov_len < left ? iov[i].iov_len : left;

			assert_true(i < (size_t)count);
			for (size_t k = 0; k < n; k++)
				assert_int_equal(at[k], out++);
			left -= n;
		}
		buffer_chain_consume(&chain, *state, take);
	}
	buffer_chain_clear(&chain, *state);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_pool_has_a_cap),
	    TEST(test_block_to_read_into_is_the_last),
	    TEST(test_used_block_comes_back_empty),
	    TEST(test_many_blocks),
	    TEST(test_compact),
	    TEST(test_empty_chain),
	    TEST(test_chain_spans_blocks),
	    TEST(test_chain_meets_the_cap),
	    TEST(test_chain_is_a_queue),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
