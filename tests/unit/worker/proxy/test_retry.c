/* Goal: a request is sent again exactly where RFC 9110 section 9.2.2 allows,
 * and where another try can do better: one row a case. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "config.h"
#include "retry.h"

#define YES true
#define NOT false
#define EVERY UINT_MAX /* failure is listed in retry_on */
#define ROW(name, failure, reused, left, heard, passed, idempotent, body,      \
    retries, max, others, verdict)                                             \
	{name,                                                                 \
	    {FAILURE_##failure, 0, EVERY, reused, left, heard, passed,         \
		idempotent, RETRY_BODY_##body, retries, max, others},          \
	    RETRY_##verdict}

static const struct {
	const char *name;
	struct retry_facts facts;
	enum retry_verdict verdict;
} cases[] = {
    /* clang-format off */
    /* failure, reused, left, heard, passed on, idempotent, body, retries made
     * and allowed, another endpoint: verdict */
    ROW("an idempotent request",
	LOST, NOT, YES, NOT, NOT, YES, UNTOUCHED, 0, 1, YES, WITHIN_BUDGET),
    ROW("the same, not left",
	LOST, NOT, NOT, NOT, NOT, YES, UNTOUCHED, 0, 1, YES, ELSEWHERE),
    ROW("late",
	READ_TIMEOUT, NOT, YES, NOT, NOT, YES, UNTOUCHED, 0, 1, YES, WITHIN_BUDGET),
    ROW("heard, but not passed on",
	LOST, NOT, YES, YES, NOT, YES, UNTOUCHED, 0, 1, YES, WITHIN_BUDGET),
    ROW("after an invalid response",
	INVALID, NOT, YES, YES, NOT, YES, UNTOUCHED, 0, 1, YES, WITHIN_BUDGET),
    ROW("some was passed on",
	LOST, NOT, YES, YES, YES, YES, UNTOUCHED, 0, 1, YES, NO),

    ROW("not idempotent, not left",
	UNREACHABLE, NOT, NOT, NOT, NOT, NOT, UNTOUCHED, 0, 1, YES, ELSEWHERE),
    ROW("not idempotent, left",
	LOST, NOT, YES, NOT, NOT, NOT, UNTOUCHED, 0, 1, YES, NO),
    ROW("the same, body whole",
	LOST, NOT, YES, NOT, NOT, NOT, WHOLE, 0, 1, YES, NO),
    ROW("not left, body whole",
	LOST, NOT, NOT, NOT, NOT, NOT, WHOLE, 0, 1, YES, ELSEWHERE),
    ROW("not left, body lost",
	LOST, NOT, NOT, NOT, NOT, NOT, LOST, 0, 1, YES, NO),
    ROW("idempotent, body whole",
	LOST, NOT, YES, NOT, NOT, YES, WHOLE, 0, 1, YES, WITHIN_BUDGET),
    ROW("idempotent, body lost",
	LOST, NOT, YES, NOT, NOT, YES, LOST, 0, 1, YES, NO),

    ROW("retries used up",
	LOST, NOT, YES, NOT, NOT, YES, UNTOUCHED, 1, 1, YES, NO),
    ROW("the last retry",
	LOST, NOT, YES, NOT, NOT, YES, UNTOUCHED, 1, 2, YES, WITHIN_BUDGET),
    ROW("no retries",
	LOST, NOT, YES, NOT, NOT, YES, UNTOUCHED, 0, 0, YES, NO),
    ROW("nowhere else",
	LOST, NOT, YES, NOT, NOT, YES, UNTOUCHED, 0, 1, NOT, NO),
    ROW("not left, nowhere else",
	UNREACHABLE, NOT, NOT, NOT, NOT, YES, UNTOUCHED, 0, 1, NOT, NO),
    ROW("not left, retries used up",
	REFUSED, NOT, NOT, NOT, NOT, YES, UNTOUCHED, 1, 1, YES, NO),
    ROW("connecting, late",
	CONNECT_TIMEOUT, NOT, NOT, NOT, NOT, YES, UNTOUCHED, 0, 1, YES, ELSEWHERE),

    ROW("stale",
	LOST, YES, YES, NOT, NOT, YES, UNTOUCHED, 0, 1, YES, FRESH),
    ROW("stale, nowhere else to go",
	LOST, YES, YES, NOT, NOT, YES, UNTOUCHED, 1, 1, NOT, FRESH),
    ROW("stale, not idempotent, not left",
	LOST, YES, NOT, NOT, NOT, NOT, UNTOUCHED, 0, 1, YES, FRESH),
    ROW("stale, not idempotent, left",
	LOST, YES, YES, NOT, NOT, NOT, UNTOUCHED, 0, 1, YES, NO),
    ROW("stale, body whole",
	LOST, YES, YES, NOT, NOT, YES, WHOLE, 0, 1, YES, FRESH),
    ROW("stale, body lost",
	LOST, YES, YES, NOT, NOT, YES, LOST, 0, 1, YES, NO),
    ROW("reused, but heard",
	LOST, YES, YES, YES, NOT, YES, UNTOUCHED, 0, 1, YES, WITHIN_BUDGET),
    ROW("reused, and only late",
	READ_TIMEOUT, YES, YES, NOT, NOT, YES, UNTOUCHED, 0, 1, YES, WITHIN_BUDGET),
    ROW("reused, and some was passed on",
	LOST, YES, YES, YES, YES, YES, UNTOUCHED, 0, 1, YES, NO),
    /* clang-format on */
};

static void
each_case_has_its_verdict(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		if (retry_judge(&cases[i].facts) != cases[i].verdict)
			fail_msg("%s: %d", cases[i].name,
			    retry_judge(&cases[i].facts));
}

/* Each failure by the entry of retry_on that lists the failure. */
static const struct {
	enum failure failure;
	unsigned status;
	unsigned retry_on;
} listed[] = {
    {FAILURE_REFUSED, 0, 1U << CONFIG_RETRY_CONNECT},
    {FAILURE_UNREACHABLE, 0, 1U << CONFIG_RETRY_CONNECT},
    {FAILURE_CONNECT_TIMEOUT, 0, 1U << CONFIG_RETRY_CONNECT},
    {FAILURE_LOST, 0, 1U << CONFIG_RETRY_RESET},
    {FAILURE_INVALID, 0, 1U << CONFIG_RETRY_RESET},
    {FAILURE_SWITCHED, 0, 1U << CONFIG_RETRY_RESET},
    {FAILURE_SEND_TIMEOUT, 0, 1U << CONFIG_RETRY_TIMEOUT},
    {FAILURE_READ_TIMEOUT, 0, 1U << CONFIG_RETRY_TIMEOUT},
    {FAILURE_BAD_STATUS, 502, 1U << CONFIG_RETRY_502},
    {FAILURE_BAD_STATUS, 503, 1U << CONFIG_RETRY_503},
    {FAILURE_BAD_STATUS, 504, 1U << CONFIG_RETRY_504},
    {FAILURE_BAD_STATUS, 500, 0},
    {FAILURE_SHORTAGE, 0, 0},
};

static void
only_what_is_listed_is_tried_again(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(listed) / sizeof(*listed); i++) {
		struct retry_facts facts = {
		    .failure = listed[i].failure,
		    .status = listed[i].status,
		    .retry_on = listed[i].retry_on,
		    .has_left = true,
		    .is_idempotent = true,
		    .retries_max = 1,
		    .has_others = true,
		};

		assert_int_equal(retry_judge(&facts),
		    listed[i].retry_on != 0 ? RETRY_WITHIN_BUDGET : RETRY_NO);
		facts.retry_on = ~listed[i].retry_on;
		assert_int_equal(retry_judge(&facts), RETRY_NO);
	}
}

/* The request had not been sent to anybody. */
static void
a_stale_connection_needs_no_listing(void **state)
{
	const struct retry_facts facts = {
	    .failure = FAILURE_LOST, .is_reused = true, .is_idempotent = true};

	(void)state;
	assert_int_equal(retry_judge(&facts), RETRY_FRESH);
}

/* Whatever the verdict: the endpoint of a stale connection has not failed. */
static void
staleness_is_a_fact_of_its_own(void **state)
{
	const struct retry_facts stale = {
	    .failure = FAILURE_LOST, .is_reused = true, .has_left = true};
	const struct retry_facts lost = {
	    .failure = FAILURE_LOST, .has_left = true};

	(void)state;
	assert_true(retry_is_stale(&stale));
	assert_false(retry_is_stale(&lost));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_case_has_its_verdict),
	    cmocka_unit_test(only_what_is_listed_is_tried_again),
	    cmocka_unit_test(a_stale_connection_needs_no_listing),
	    cmocka_unit_test(staleness_is_a_fact_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
