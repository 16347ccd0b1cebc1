/* Goal: a refusal's words name the limit, the key, the wrong byte and the
 * field, and no secret. */
#include "feed.h"
#include "parser_fault.h"

struct fault_case {
	const char *text;
	const char *words;
};

static void
assert_words(const struct fed *f, const char *section, const char *words)
{
	char text[PARSER_FAULT_MAX];

	parser_fault_full(&f->m, section, text);
	assert_string_equal(text, words);
}

static void
the_byte_and_the_field_are_named(void **state)
{
	static const struct fault_case cases[] = {
	    {OK "X-Id: a\x01" END END,
		"control character in a field: byte 0x01 at 24, in field X-Id"},
	    {OK "Set-Cookie: secret\x7f" END END,
		"control character in a field: byte 0x7f at 35, in field "
		"Set-Cookie"},
	    {OK "X Y: 1" END END,
		"a field must begin with a name and a colon: byte 0x20 at 18, "
		"in field X"},
	    {OK "A: 1" END " folded" END END,
		"a line must end in CRLF and must not be folded: byte 0x20 at "
		"23, in field A"},
	    {"HTTP/1.1 200 OK\n\r\n",
		"a line must end in CRLF and must not be folded: byte 0x0a at "
		"15"},
	    {"HTTP/1.1 2x0 OK\r\n\r\n",
		"malformed HTTP start line: byte 0x78 at 10"},
	    {"\x16\x03\x01", "malformed HTTP start line: byte 0x16 at 0"},
	    {OK "Content-Length: 1\"\x80 123456789012345" END END,
		"ambiguous or invalid Content-Length: `1\\x22\\x80 "
		"123456789012...`"},
	    {OK "Transfer-Encoding: gzip" END END,
		"Transfer-Encoding must be chunked alone: `gzip`"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (size_t way = 0; way < ways(strlen(cases[i].text)); way++) {
			struct fed *f =
			    feed_response(cases[i].text, false, way);

			assert_words(f, "service", cases[i].words);
			drop(f);
		}
}

static void
a_limit_is_named_with_its_key(void **state)
{
	static const struct parser_limits limits = {100, 30, 7};
	static const struct fault_case cases[] = {
	    {LINE HOST "X-Long: 0123456789012345678901234567890123456789012345"
		       "678901234567890123456789012345678901234567890123",
		"head or trailers too large (client.headers: 100 bytes), in "
		"field X-Long"},
	    {"GET /0123456789012345678901234567890",
		"request target too long (client.target: 30 bytes)"},
	    {POST "Content-Length: 8" END END,
		"request body too large (client.body: 7 bytes)"},
	};
	struct fed *f;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (size_t way = WHOLE; way < SPLIT; way++) {
			f = feed_limited(
			    cases[i].text, strlen(cases[i].text), way, &limits);
			assert_words(f, "client", cases[i].words);
			drop(f);
		}
	f = feed_limited(cases[2].text, strlen(cases[2].text), WHOLE, &limits);
	assert_words(f, NULL, "request body too large (7 bytes)");
	drop(f);
}

/* A long name is cut, and a name that is not whole is none. */
static void
a_long_name_is_cut(void **state)
{
	static char text[1000];
	struct fed *f;

	(void)state;
	strcpy(text, OK);
	memset(text + strlen(text), 'n', 300);
	strcat(text, ": \x01");
	f = feed_response(text, false, WHOLE);
	assert_words(f, "service",
	    "control character in a field: byte 0x01 at 319, in field "
	    "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn...");
	drop(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_byte_and_the_field_are_named),
	    cmocka_unit_test(a_limit_is_named_with_its_key),
	    cmocka_unit_test(a_long_name_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
