/* Goal: a network is understood exactly or refused, and holds the addresses of
 * its prefix and no others. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cidr.h"

static struct sock_host
host_of(const char *text)
{
	struct sock_host host = {.family = AF_UNIX};

	if (strcmp(text, "unix") != 0)
		assert_int_equal(
		    sock_host_parse(&host, (struct slice){text, strlen(text)}),
		    0);
	return host;
}

static void
membership(void **state)
{
	static const struct {
		const char *network, *host;
		bool inside;
	} cases[] = {
	    {"10.0.0.0/8", "10.0.0.0", true},
	    {"10.0.0.0/8", "10.255.255.255", true},
	    {"10.0.0.0/8", "11.0.0.0", false},
	    {"10.0.0.0/8", "9.255.255.255", false},
	    {"172.16.0.0/12", "172.31.255.255", true},
	    {"172.16.0.0/12", "172.32.0.0", false},
	    {"192.0.2.128/25", "192.0.2.128", true},
	    {"192.0.2.128/25", "192.0.2.127", false},
	    {"192.0.2.7", "192.0.2.7", true},
	    {"192.0.2.7", "192.0.2.6", false},
	    {"192.0.2.7/31", "192.0.2.6", true},
	    {"0.0.0.0/0", "255.255.255.255", true},
	    {"0.0.0.0/0", "::1", false},
	    {"0.0.0.0/0", "::ffff:1.2.3.4", true},
	    /* Bits behind the prefix are ignored. */
	    {"10.1.2.3/8", "10.9.9.9", true},
	    {"fd00::/8", "fdff::1", true},
	    {"fd00::/8", "fe00::1", false},
	    {"2001:db8::/33", "2001:db8:7fff::", true},
	    {"2001:db8::/33", "2001:db8:8000::", false},
	    {"2001:DB8::1", "2001:db8::1", true},
	    {"2001:db8::1", "2001:db8::2", false},
	    {"::1/128", "::1", true},
	    {"::/0", "2001:db8::1", true},
	    {"::/0", "10.0.0.1", false},
	    /* A peer of a dual-stack socket, and a network written so. */
	    {"10.0.0.0/8", "::ffff:10.0.0.1", true},
	    {"10.0.0.0/8", "::ffff:11.0.0.1", false},
	    {"::ffff:10.0.0.0/104", "10.0.0.1", true},
	    {"::ffff:10.0.0.0/104", "::ffff:10.0.0.1", true},
	    {"::ffff:10.0.0.0/104", "11.0.0.1", false},
	    {"::ffff:0:0/96", "203.0.113.9", true},
	    {"unix", "unix", true},
	    {"unix", "127.0.0.1", false},
	    {"0.0.0.0/0", "unix", false},
	    {"::/0", "unix", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct sock_host host = host_of(cases[i].host);
		struct cidr cidr;

		if (cidr_parse(&cidr, cases[i].network) == -1)
			fail_msg("%s was refused", cases[i].network);
		if (cidr_contains(&cidr, &host) != cases[i].inside)
			fail_msg("%s in %s: not %d", cases[i].host,
			    cases[i].network, cases[i].inside);
	}
}

static void
wrong_networks(void **state)
{
	static const char *const wrong[] = {"", "/", "/8", "10.0.0.0/",
	    "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/08", "10.0.0.0/8 ",
	    " 10.0.0.0/8", "10.0.0.0/8/8", "10.0.0.0/a", "10.0.0.0/0x8",
	    "10.0.0.0/4294967304", "10.0.0/8", "10/8", "10.0.0.256/8",
	    "010.0.0.1", "::/129", "::1/", "[::1]", "[::]/0", "fe80::1%eth0",
	    "10.0.0.1:80", "localhost", "example.org/8", "unix:/run/x", "UNIX",
	    "unix/0", "10.0.0.0-10.0.0.9", "*",
	    "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000"};
	struct cidr cidr;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		errno = 0;
		if (cidr_parse(&cidr, wrong[i]) != -1)
			fail_msg("\"%s\" was taken", wrong[i]);
		assert_int_equal(errno, EINVAL);
	}
}

static void
one_of_several(void **state)
{
	struct cidr list[3];
	struct sock_host inside = host_of("192.168.3.4");
	struct sock_host outside = host_of("192.169.0.1");

	(void)state;
	assert_int_equal(cidr_parse(&list[0], "10.0.0.0/8"), 0);
	assert_int_equal(cidr_parse(&list[1], "unix"), 0);
	assert_int_equal(cidr_parse(&list[2], "192.168.0.0/16"), 0);
	assert_true(cidr_any(list, 3, &inside));
	assert_false(cidr_any(list, 2, &inside));
	assert_false(cidr_any(list, 0, &inside));
	assert_false(cidr_any(list, 3, &outside));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(membership),
	    cmocka_unit_test(wrong_networks),
	    cmocka_unit_test(one_of_several),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
