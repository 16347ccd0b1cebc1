/* Goal: every step of the policy, the packed word, and the merge of Redis' word
 * into the host's. */
#include "breaker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct breaker_policy policy = {
    .failures = 3,
    .window_ms = 1000,
    .open_for_ms = 500,
    .lease_ms = 200,
};

static struct breaker_admission
admitted(const struct breaker *b)
{
	return (struct breaker_admission){.epoch = b->epoch, .local = b->local};
}

static struct breaker
opened(uint64_t now_ms)
{
	struct breaker b = {0};

	for (int i = 0; i < 3; i++) {
		struct breaker_admission a = admitted(&b);

		assert_int_equal(breaker_decide(&b, now_ms), BREAKER_ADMIT);
		assert_true(breaker_fail(&b, &policy, &a, now_ms));
	}
	assert_int_equal(b.state, BREAKER_OPEN);
	assert_true(b.local);
	return b;
}

static void
a_word_holds_every_field(void **state)
{
	const struct breaker all[] = {
	    {.state = BREAKER_CLOSED},
	    {BREAKER_HALF_OPEN, true, BREAKER_FAILURES_MAX, BREAKER_EPOCH_MASK,
		(UINT64_C(1) << 36) - 1},
	    {BREAKER_OPEN, false, 1, 0, 0},
	    {BREAKER_CLOSED, true, 0, 1, 0},
	    {BREAKER_CLOSED, false, 0, 0, 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		struct breaker b = breaker_unpack(breaker_pack(&all[i]));

		assert_int_equal(b.state, all[i].state);
		assert_int_equal(b.local, all[i].local);
		assert_int_equal(b.failures, all[i].failures);
		assert_int_equal(b.epoch, all[i].epoch);
		assert_int_equal(b.until_ms, all[i].until_ms);
	}
	assert_int_equal(breaker_pack(&all[0]), 0);
}

static void
opens_after_consecutive_failures(void **state)
{
	struct breaker b = opened(100);

	(void)state;
	assert_int_equal(b.failures, 3);
	assert_int_equal(b.until_ms, 600);
	assert_int_equal(breaker_decide(&b, 599), BREAKER_REJECT);
	assert_int_equal(breaker_decide(&b, 600), BREAKER_PROBE_DUE);
}

static void
a_success_or_the_window_ends_a_run(void **state)
{
	struct breaker b = {.epoch = 9};
	struct breaker_admission a = admitted(&b);

	(void)state;
	assert_false(breaker_succeed(&b, &a, 1001));
	assert_true(breaker_fail(&b, &policy, &a, 0));
	assert_true(breaker_fail(&b, &policy, &a, 999));
	assert_int_equal(b.failures, 2);
	assert_true(breaker_fail(&b, &policy, &a, 1000));
	assert_int_equal(b.failures, 1);
	assert_int_equal(b.until_ms, 2000);
	assert_true(breaker_fail(&b, &policy, &a, 1001));
	assert_true(breaker_succeed(&b, &a, 1001));
	assert_int_equal(b.failures, 0);
	assert_int_equal(b.epoch, 9);
}

static void
one_probe_decides(void **state)
{
	struct breaker b = opened(0), again;
	struct breaker_admission late = {.epoch = 0}, probe;

	(void)state;
	assert_false(breaker_acquire(&b, &policy, 499));
	assert_true(breaker_acquire(&b, &policy, 500));
	assert_int_equal(b.state, BREAKER_HALF_OPEN);
	assert_false(breaker_acquire(&b, &policy, 699));
	probe = admitted(&b);
	/* Neither a late outcome nor another's counts. */
	assert_false(breaker_succeed(&b, &late, 1001));
	assert_false(breaker_fail(&b, &policy, &late, 510));
	assert_false(breaker_succeed(&b, &probe, 1001));
	probe.is_probe = true;
	again = b;
	assert_true(breaker_succeed(&b, &probe, 1001));
	assert_int_equal(b.state, BREAKER_CLOSED);
	assert_int_equal(b.failures, 0);
	assert_true(breaker_fail(&again, &policy, &probe, 520));
	assert_int_equal(again.state, BREAKER_OPEN);
	assert_int_equal(again.until_ms, 1020);
	assert_false(breaker_succeed(&again, &probe, 1001));
}

static void
a_lost_probe_is_replaced(void **state)
{
	struct breaker b = opened(0);
	struct breaker_admission dead, left;

	(void)state;
	assert_true(breaker_acquire(&b, &policy, 500));
	dead = admitted(&b);
	dead.is_probe = true;
	assert_int_equal(breaker_decide(&b, 699), BREAKER_REJECT);
	assert_true(breaker_acquire(&b, &policy, 700));
	assert_false(breaker_succeed(&b, &dead, 1001));
	assert_false(breaker_release(&b, &dead, 701));
	left = admitted(&b);
	left.is_probe = true;
	assert_true(breaker_release(&b, &left, 701));
	assert_int_equal(breaker_decide(&b, 701), BREAKER_PROBE_DUE);
}

static void
redis_has_the_last_word(void **state)
{
	struct breaker b = {.epoch = 5};
	struct breaker said = {
	    .state = BREAKER_OPEN, .epoch = 6, .until_ms = 9};
	struct breaker old = {.state = BREAKER_CLOSED, .epoch = 5};
	struct breaker fresh = {.state = BREAKER_CLOSED};
	struct breaker local = opened(0), again;

	(void)state;
	assert_true(breaker_merge(&b, &said, &policy, 0, false));
	assert_int_equal(b.state, BREAKER_OPEN);
	assert_false(breaker_merge(&b, &said, &policy, 0, false));
	assert_false(breaker_merge(&b, &old, &policy, 0, false));
	assert_false(breaker_merge(&b, &fresh, &policy, 0, false));
	said.until_ms = 10;
	assert_true(breaker_merge(&b, &said, &policy, 0, false));
	assert_int_equal(b.until_ms, 10);
	/* A local step stands until Redis has heard of the step, */
	assert_true(local.local);
	assert_false(breaker_merge(&local, &fresh, &policy, 999, false));
	/* unless Redis answers so, or no answer ever comes. */
	again = local;
	assert_true(breaker_merge(&again, &fresh, &policy, 1, true));
	assert_int_equal(again.state, BREAKER_CLOSED);
	assert_false(again.local);
	assert_true(
	    breaker_merge(&local, &fresh, &policy, BREAKER_CONFIRM_MS, false));
	assert_int_equal(local.state, BREAKER_CLOSED);
}

static void
epochs_are_serial_numbers(void **state)
{
	struct breaker b = {.state = BREAKER_OPEN, .epoch = BREAKER_EPOCH_MASK};

	(void)state;
	assert_true(breaker_epoch_is_newer(2, 1));
	assert_false(breaker_epoch_is_newer(1, 2));
	assert_false(breaker_epoch_is_newer(2, 2));
	assert_true(breaker_epoch_is_newer(1, BREAKER_EPOCH_MASK));
	assert_false(breaker_epoch_is_newer(BREAKER_EPOCH_MASK, 1));
	/* 0: nothing heard yet. */
	assert_true(breaker_epoch_is_newer(BREAKER_EPOCH_MASK, 0));
	assert_false(breaker_epoch_is_newer(0, BREAKER_EPOCH_MASK));
	assert_true(breaker_acquire(&b, &policy, 1));
	assert_int_equal(b.epoch, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_word_holds_every_field),
	    cmocka_unit_test(opens_after_consecutive_failures),
	    cmocka_unit_test(a_success_or_the_window_ends_a_run),
	    cmocka_unit_test(one_probe_decides),
	    cmocka_unit_test(a_lost_probe_is_replaced),
	    cmocka_unit_test(redis_has_the_last_word),
	    cmocka_unit_test(epochs_are_serial_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
