/*
 * planted - bugs on purpose, for tests/functional/process/test_planted_bugs.py:
 * linked into a program of their own (make planted) in place of calls between
 * the product's files (ld --wrap). A backend's status picks one; each breaks an
 * invariant that shared/base/check.h confines.
 */
#include <stdbool.h>

#include "exchange_state.h"
#include "pool.h"
#include "stream.h"

enum {
	STATUS_STREAM_BEGUN_TWICE = 299,
	STATUS_EXCHANGE_ENDED_TWICE = 298,
	STATUS_UPSTREAM_RELEASED_TWICE = 297,
	STATUS_EXCHANGE_STEPS_BACK = 296,
};

/* For the response that began last; the tests' responses begin and end in one
 * read. */
static unsigned status;
/* The exchange that last read its backend's response whole. */
static struct exchange *complete;

struct fields *__real_h1_begin(
    struct stream *s, const struct stream_start *start);
void __real_exchange_leave_endpoint(struct exchange *x);
void __real_h1_write(struct stream *s, const struct stream_piece *piece);
void __real_pool_release(struct upstream *up);

struct fields *__wrap_h1_begin(
    struct stream *s, const struct stream_start *start);
void __wrap_exchange_leave_endpoint(struct exchange *x);
void __wrap_h1_write(struct stream *s, const struct stream_piece *piece);
void __wrap_pool_release(struct upstream *up);

struct fields *
__wrap_h1_begin(struct stream *s, const struct stream_start *start)
{
	status = start->status;
	if (status == STATUS_STREAM_BEGUN_TWICE)
		(void)__real_h1_begin(s, start);
	return __real_h1_begin(s, start);
}

/* For a response read whole. */
void
__wrap_exchange_leave_endpoint(struct exchange *x)
{
	__real_exchange_leave_endpoint(x);
	if (status == STATUS_EXCHANGE_STEPS_BACK)
		(void)exchange_enter(x, EXCHANGE_CONNECTING);
	complete = x;
}

/* The response's last piece, with which the exchange has ended. */
void
__wrap_h1_write(struct stream *s, const struct stream_piece *piece)
{
	__real_h1_write(s, piece);
	if (piece->last && status == STATUS_EXCHANGE_ENDED_TWICE)
		exchange_end(complete);
}

void
__wrap_pool_release(struct upstream *up)
{
	__real_pool_release(up);
	if (status == STATUS_UPSTREAM_RELEASED_TWICE)
		__real_pool_release(up);
}
