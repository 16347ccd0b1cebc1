/* Goal: a set of addresses depends on the addresses alone, whatever their order
 * and repetitions, and a cut keeps the lowest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "address_set.h"

#define MANY 1500

static struct sock_addr
addr_of(const char *text)
{
	struct sock_addr addr;

	assert_int_equal(sock_addr_parse(&addr, text), 0);
	return addr;
}

static void
add(struct address_set *set, const char *text)
{
	struct sock_addr addr = addr_of(text);

	address_set_add(set, &addr);
}

static void
assert_member(const struct address_set *set, size_t i, const char *text)
{
	char buf[SOCK_TEXT_MAX];

	assert_string_equal(sock_addr_str(&set->members[i].addr, buf), text);
}

static bool
take(struct address_set *set, const char *text)
{
	struct sock_addr addr = addr_of(text);

	return address_set_take(set, &addr);
}

static void
each_address_is_there_once(void **state)
{
	struct address_set set;

	(void)state;
	assert_int_equal(address_set_init(&set, 6), 0);
	add(&set, "[::1]:80");
	add(&set, "10.0.0.2:80");
	add(&set, "10.0.0.1:81");
	add(&set, "10.0.0.2:80");
	add(&set, "10.0.0.1:80");
	add(&set, "[::1]:80");
	address_set_close(&set, 6);
	assert_int_equal(set.count, 4);
	assert_int_equal(set.whole, 4);
	assert_member(&set, 0, "10.0.0.1:80");
	assert_member(&set, 1, "10.0.0.1:81");
	assert_member(&set, 2, "10.0.0.2:80");
	assert_member(&set, 3, "[::1]:80");
	address_set_fini(&set);
}

static void
a_taken_member_is_marked(void **state)
{
	struct address_set set;

	(void)state;
	assert_int_equal(address_set_init(&set, 3), 0);
	add(&set, "10.0.0.3:80");
	add(&set, "10.0.0.1:80");
	add(&set, "10.0.0.2:80");
	address_set_close(&set, 2);
	assert_int_equal(set.whole, 3);
	assert_true(take(&set, "10.0.0.2:80"));
	assert_false(take(&set, "10.0.0.3:80"));
	assert_false(take(&set, "10.0.0.2:81"));
	assert_false(set.members[0].taken);
	assert_true(set.members[1].taken);
	address_set_fini(&set);
}

static void
an_empty_set_has_nothing(void **state)
{
	struct address_set set;

	(void)state;
	assert_int_equal(address_set_init(&set, 0), 0);
	address_set_close(&set, 8);
	assert_int_equal(set.count, 0);
	assert_false(take(&set, "10.0.0.1:80"));
	address_set_fini(&set);
}

/* A fill in steps of a number prime to MANY: each order has all addresses. */
static void
fill(struct address_set *set, unsigned step)
{
	struct sock_addr addr = addr_of("10.0.0.0:80");

	assert_int_equal(address_set_init(set, MANY), 0);
	for (unsigned i = 0; i < MANY; i++) {
		addr.in.sin_addr.s_addr = htonl(0x0a000000 + i * step % MANY);
		address_set_add(set, &addr);
	}
	address_set_close(set, 1024);
}

static void
the_choice_does_not_depend_on_the_order(void **state)
{
	struct address_set one, other;

	(void)state;
	fill(&one, 1);
	fill(&other, 677);
	assert_int_equal(one.count, 1024);
	assert_int_equal(one.whole, MANY);
	for (size_t i = 0; i < one.count; i++)
		assert_true(address_set_take(&other, &one.members[i].addr));
	address_set_fini(&one);
	address_set_fini(&other);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_address_is_there_once),
	    cmocka_unit_test(a_taken_member_is_marked),
	    cmocka_unit_test(an_empty_set_has_nothing),
	    cmocka_unit_test(the_choice_does_not_depend_on_the_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
