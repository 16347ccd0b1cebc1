/* Goal: an object given back is the next to be handed out, and unused memory is
 * freed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "slab.h"

#define BYTES 40
#define COUNT 100

static void
test_last_in_first_out(void **state)
{
	struct slab slab;
	char *a, *b;

	(void)state;
	slab_init(&slab, BYTES);
	a = slab_get(&slab);
	b = slab_get(&slab);
	assert_ptr_not_equal(a, b);
	memset(a, 'a', BYTES);
	memset(b, 'b', BYTES);
	slab_put(&slab, a);
	slab_put(&slab, b);
	slab_put(&slab, NULL);
	assert_ptr_equal(slab_get(&slab), b);
	assert_ptr_equal(slab_get(&slab), a);
	slab_put(&slab, a);
	slab_put(&slab, b);
	slab_fini(&slab);
	assert_null(slab.free);
}

static void
test_trim(void **state)
{
	struct slab slab;
	void *objects[COUNT];

	(void)state;
	slab_init(&slab, BYTES);
	for (size_t i = 0; i < COUNT; i++)
		objects[i] = slab_get(&slab);
	for (size_t i = 0; i < COUNT; i++)
		slab_put(&slab, objects[i]);
	/* All were needed since the beginning. */
	slab_trim(&slab);
	assert_int_equal(slab.free_count, COUNT);
	/* The same objects, three at a time. */
	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < 3; i++)
			objects[i] = slab_get(&slab);
		for (size_t i = 0; i < 3; i++)
			slab_put(&slab, objects[i]);
	}
	slab_trim(&slab);
	assert_int_equal(slab.free_count, 3);
	slab_trim(&slab);
	assert_int_equal(slab.free_count, 0);
	slab_fini(&slab);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_last_in_first_out),
	    cmocka_unit_test(test_trim),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
