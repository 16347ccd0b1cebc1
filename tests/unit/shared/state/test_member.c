/* Goal: an endpoint is listed while at least one worker has the endpoint, and
 * up unless checks or an ejection say otherwise. The table holds the promised
 * number. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "member.h"

static struct member *table;

static int
setup(void **state)
{
	(void)state;
	table = calloc(MEMBERS_MAX, sizeof(*table));
	return table != NULL ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	free(table);
	return 0;
}

static struct member *
join(uint64_t key, unsigned slot)
{
	struct member_name name = {key, 3, "127.0.0.1:80"};
	uint32_t id = member_join(table, &name, slot);

	assert_true(id < MEMBERS_MAX);
	return &table[id];
}

static void
test_listed_while_a_worker_has_it(void **state)
{
	struct member *m = join(7, 0);

	(void)state;
	assert_ptr_equal(join(7, CONFIG_WORKERS_MAX - 1), m);
	assert_int_equal(m->service, 3);
	assert_string_equal(m->text, "127.0.0.1:80");
	assert_true(member_is_listed(m));
	member_leave(m, 0);
	assert_true(member_is_listed(m));
	member_leave(m, CONFIG_WORKERS_MAX - 1);
	assert_false(member_is_listed(m));
	assert_ptr_equal(join(7, 1), m);
	assert_true(member_is_listed(m));
}

static void
test_a_dead_worker_has_none(void **state)
{
	struct member *a = join(1, 65), *b = join(2, 65), *both = join(3, 65);

	(void)state;
	assert_ptr_equal(join(3, 1), both);
	member_leave_all(table, 65);
	assert_false(member_is_listed(a));
	assert_false(member_is_listed(b));
	assert_true(member_is_listed(both));
}

/* The worker died between claiming the entry and writing the name. */
static void
test_not_listed_without_a_name(void **state)
{
	struct member *m = join(9, 0);

	(void)state;
	atomic_store(&m->named, 0);
	m->text[0] = '\0';
	assert_false(member_is_listed(m));
	assert_ptr_equal(join(9, 1), m);
	assert_true(member_is_listed(m));
	assert_string_equal(m->text, "127.0.0.1:80");
}

static void
test_up(void **state)
{
	struct member *m = join(7, 0);

	(void)state;
	assert_true(member_is_up(m, 1000));
	atomic_store(&m->checks, CHECKS_DOWN);
	assert_false(member_is_up(m, 1000));
	atomic_store(&m->checks, CHECKS_UP);
	assert_true(member_is_up(m, 1000));
	member_eject(m, 2000);
	assert_false(member_is_up(m, 1000));
	assert_false(member_is_up(m, 1999));
	assert_true(member_is_up(m, 2000));
	member_eject(m, 5000);
	assert_false(member_is_up(m, 2000));
	member_restore(m);
	assert_true(member_is_up(m, 2000));
	assert_int_equal(atomic_load(&m->ejections), 2);
}

static void
test_full(void **state)
{
	struct member_name late = {12345, 0, "x"};

	(void)state;
	for (uint64_t key = 1; key <= MEMBERS_MAX; key++) {
		/* All begin to look in the same place. */
		struct member *m = join(key << 32, 0);

		assert_ptr_equal(join(key << 32, 1), m);
	}
	assert_int_equal(member_join(table, &late, 0), (uint32_t)MEMBER_NONE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_listed_while_a_worker_has_it),
	    TEST(test_a_dead_worker_has_none),
	    TEST(test_not_listed_without_a_name),
	    TEST(test_up),
	    TEST(test_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
