/* Goal: a header of the PROXY protocol is read alike for any cut into pieces,
 * to its last byte and not beyond; every other beginning is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "proxy_protocol.h"

/* The verdict, and of a whole header "SOURCE LENGTH". */
static const char *
verdict_of(const char *data, size_t len)
{
	static char text[SOCK_TEXT_MAX + 32];
	char source[SOCK_TEXT_MAX] = "none";
	struct proxy_protocol h;

	switch (proxy_protocol_parse(data, len, &h)) {
	case PROXY_PROTOCOL_MORE:
		return "more";
	case PROXY_PROTOCOL_BAD:
		return "bad";
	case PROXY_PROTOCOL_DONE:
		break;
	}
	if (h.has_source)
		sock_addr_str(&h.source, source);
	snprintf(text, sizeof(text), "%s %zu", source, h.len);
	return text;
}

/* Every part of a whole header is "more", whatever follows the header. */
static void
check(const char *data, size_t len, const char *want)
{
	char copy[PROXY_PROTOCOL_MAX + 64];
	struct proxy_protocol h;
	bool is_bad = strcmp(want, "bad") == 0;

	if (strcmp(verdict_of(data, len), want) != 0)
		fail_msg(
		    "%.40s: %s, not %s", data, verdict_of(data, len), want);
	if (is_bad || strcmp(want, "more") == 0)
		return;
	assert_int_equal(
	    proxy_protocol_parse(data, len, &h), PROXY_PROTOCOL_DONE);
	for (size_t i = 0; i < h.len; i++)
		assert_string_equal(verdict_of(data, i), "more");
	memcpy(copy, data, h.len);
	memset(copy + h.len, '\n', sizeof(copy) - h.len);
	assert_string_equal(verdict_of(copy, h.len + 32), want);
}

static void
version_1(void **state)
{
	static const char *const rows[][2] = {
	    {"PROXY TCP4 192.0.2.7 10.0.0.1 4711 80\r\n", "192.0.2.7:4711 39"},
	    {"PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n",
		"255.255.255.255:65535 56"},
	    {"PROXY TCP4 0.0.0.0 0.0.0.0 0 0\r\n", "0.0.0.0:0 32"},
	    {"PROXY TCP6 2001:db8::7 ::1 1 2\r\n", "[2001:db8::7]:1 32"},
	    {"PROXY UNKNOWN\r\n", "none 15"},
	    {"PROXY UNKNOWN any thing\x01 at all\r\n", "none 33"},
	    {"PROXY UNKNOWN\r\nGET / HTTP/1.1\r\n", "none 15"},
	    {"", "more"},
	    {"P", "more"},
	    {"PROXY ", "more"},
	    {"PROXY TCP4 192.0.2.7", "more"},
	    {"PROXY TCP4 192.0.2.7 10.0.0.1 4711 80\r", "more"},
	    {"GET / HTTP/1.1\r\n", "bad"},
	    {"POST / HTTP/1.1\r\n", "bad"},
	    {"PRO ", "bad"},
	    {"proxy TCP4 192.0.2.7 10.0.0.1 4711 80\r\n", "bad"},
	    {"PROXY\r\n", "bad"},
	    {"PROXY \r\n", "bad"},
	    {"PROXY \n", "bad"},
	    {"PROXY UNKNOWN\n", "bad"},
	    {"PROXY UNKNOWNS\r\n", "bad"},
	    {"PROXY TCP5 192.0.2.7 10.0.0.1 4711 80\r\n", "bad"},
	    {"PROXY TCP4\r\n", "bad"},
	    {"PROXY TCP4 192.0.2.7\r\n", "bad"},
	    {"PROXY TCP4 192.0.2.7 10.0.0.1 4711\r\n", "bad"},
	    {"PROXY TCP4 192.0.2.7 10.0.0.1 4711 80 \r\n", "bad"},
	    {"PROXY TCP4 192.0.2.7 10.0.0.1 4711 80 9\r\n", "bad"},
	    {"PROXY TCP4  192.0.2.7 10.0.0.1 4711 80\r\n", "bad"},
	    {"PROXY  TCP4 192.0.2.7 10.0.0.1 4711 80\r\n", "bad"},
	    {"PROXY TCP4 192.0.2.7 10.0.0.1 65536 80\r\n", "bad"},
	    {"PROXY TCP4 192.0.2.7 10.0.0.1 4711 99999\r\n", "bad"},
	    {"PROXY TCP4 192.0.2.7 10.0.0.1 04711 80\r\n", "bad"},
	    {"PROXY TCP4 192.0.2.7 10.0.0.1 -1 80\r\n", "bad"},
	    {"PROXY TCP4 192.0.2.256 10.0.0.1 4711 80\r\n", "bad"},
	    {"PROXY TCP4 ::1 ::1 4711 80\r\n", "bad"},
	    {"PROXY TCP6 192.0.2.7 10.0.0.1 4711 80\r\n", "bad"},
	    {"PROXY TCP6 ::1 10.0.0.1 4711 80\r\n", "bad"},
	    {"\r\n\r\n\r\n", "bad"},
	};
	char line[128] = "PROXY UNKNOWN ";

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		check(rows[i][0], strlen(rows[i][0]), rows[i][1]);
	/* The longest line, and a longer one. */
	memset(line + 14, 'x', sizeof(line) - 14);
	memcpy(line + 105, "\r\n", 2);
	check(line, 107, "none 107");
	line[105] = 'x';
	memcpy(line + 106, "\r\n", 2);
	assert_string_equal(verdict_of(line, 106), "more");
	check(line, 108, "bad");
	check(line, 107, "bad");
}

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define V4 "\xc0\x00\x02\x07\x0a\x00\x00\x01\x12\x67\x00\x50"
#define V6                                                                     \
	"\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07"                           \
	"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x12\x67\x00\x50"
#define ROW(bytes, want) {SIGNATURE bytes, sizeof(SIGNATURE bytes) - 1, want}

static void
version_2(void **state)
{
	static const struct {
		const char *data;
		size_t len;
		const char *want;
	} rows[] = {
	    ROW("\x21\x11\x00\x0c" V4, "192.0.2.7:4711 28"),
	    ROW("\x21\x21\x00\x24" V6, "[2001:db8::7]:4711 52"),
	    ROW("\x20\x00\x00\x00", "none 16"),
	    ROW("\x20\x11\x00\x0c" V4, "none 28"),
	    ROW("\x20\xff\x00\x02zz", "none 18"),
	    ROW("\x21\x00\x00\x00", "none 16"),
	    ROW("\x21\x00\x00\x03zzz", "none 19"),
	    /* UDP is not what came. */
	    ROW("\x21\x12\x00\x0c" V4, "none 28"),
	    /* TLVs are skipped. */
	    ROW("\x21\x11\x00\x12" V4 "\x04\x00\x03zzz", "192.0.2.7:4711 34"),
	    ROW("\x21\x11\x00\x0f" V4 "\x04\x00\x00", "192.0.2.7:4711 31"),
	    ROW("\x21\x11\x00\x13" V4 "\x04\x00\x00\x05\x00\x01z",
		"192.0.2.7:4711 35"),
	    ROW("\x21\x11\x00\x12" V4 "\x04\x00\x04zzz", "bad"),
	    ROW("\x21\x11\x00\x12" V4 "\x04\xff\xffzzz", "bad"),
	    ROW("\x21\x11\x00\x0e" V4 "\x04\x00", "bad"),
	    /* Too short for the family. */
	    ROW("\x21\x11\x00\x0b" V4, "bad"),
	    ROW("\x21\x21\x00\x0c" V4, "bad"),
	    ROW("\x21\x31\x00\x0c" V4, "bad"),
	    ROW("\x21\x41\x00\x0c" V4, "bad"),
	    ROW("\x21\x13\x00\x0c" V4, "bad"),
	    ROW("\x11\x11\x00\x0c" V4, "bad"),
	    ROW("\x22\x11\x00\x0c" V4, "bad"),
	    /* Longer than the cap: 16 and 4,081 bytes. */
	    ROW("\x21\x11\x0f\xf1" V4, "bad"),
	    ROW("\x21\x11\xff\xff" V4, "bad"),
	    ROW("\x20\x00\xff\xff", "bad"),
	    ROW("\x21\x11\x0f\xf0" V4, "more"),
	    ROW("", "more"),
	    ROW("\x21\x11\x00", "more"),
	};
	char most[PROXY_PROTOCOL_MAX] = SIGNATURE "\x21\x31\x0f\xf0";

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		check(rows[i].data, rows[i].len, rows[i].want);
	check("\r\n\r\n\0\r\nQUIT\r", 12, "bad");
	/* A unix socket's addresses, and one TLV for the rest. */
	most[16 + 216 + 1] = (char)((4080 - 216 - 3) >> 8);
	most[16 + 216 + 2] = (char)((4080 - 216 - 3) & 0xff);
	check(most, sizeof(most), "none 4096");
}

static struct sock_host
host_of(const char *address)
{
	struct sock_addr addr;

	assert_int_equal(sock_addr_parse(&addr, address), 0);
	return sock_host_of(&addr);
}

/* A written header is read as the source; and version 1 by the letter. */
static void
written_headers(void **state)
{
	static const struct {
		const char *source, *destination, *line, *read;
	} rows[] = {
	    {"192.0.2.7:4711", "10.0.0.1:80",
		"PROXY TCP4 192.0.2.7 10.0.0.1 4711 80\r\n", "192.0.2.7:4711"},
	    {"[2001:db8::7]:1", "[::1]:65535",
		"PROXY TCP6 2001:db8::7 ::1 1 65535\r\n", "[2001:db8::7]:1"},
	    /* A header has one family. */
	    {"192.0.2.7:0", "[::1]:80",
		"PROXY TCP6 ::ffff:192.0.2.7 ::1 0 80\r\n",
		"[::ffff:192.0.2.7]:0"},
	    {"[2001:db8::7]:1", "10.0.0.1:2",
		"PROXY TCP6 2001:db8::7 ::ffff:10.0.0.1 1 2\r\n",
		"[2001:db8::7]:1"},
	    {"192.0.2.7:9", "unix:/x", "PROXY TCP4 192.0.2.7 0.0.0.0 9 0\r\n",
		"192.0.2.7:9"},
	    {"[2001:db8::7]:9", "unix:/x", "PROXY TCP6 2001:db8::7 :: 9 0\r\n",
		"[2001:db8::7]:9"},
	    {"unix:/x", "10.0.0.1:80", "PROXY UNKNOWN\r\n", "none"},
	    {"[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535",
		"[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535",
		"PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
		"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n",
		"[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535"},
	};
	char out[PROXY_PROTOCOL_WRITE_MAX], want[SOCK_TEXT_MAX + 32];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct sock_host source = host_of(rows[i].source);
		struct sock_host destination = host_of(rows[i].destination);

		for (unsigned v = 1; v <= 2; v++) {
			size_t len =
			    proxy_protocol_write(out, v, &source, &destination);

			assert_in_range(len, 1, sizeof(out));
			snprintf(
			    want, sizeof(want), "%s %zu", rows[i].read, len);
			check(out, len, want);
			if (v == 1)
				assert_memory_equal(out, rows[i].line, len);
		}
	}
	for (unsigned v = 1; v <= 2; v++) {
		size_t len = proxy_protocol_write_local(out, v);

		check(out, len, v == 1 ? "none 15" : "none 16");
	}
	assert_memory_equal(out, SIGNATURE "\x20\0\0", 16);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(version_1),
	    cmocka_unit_test(version_2),
	    cmocka_unit_test(written_headers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
