/* Goal: equivalent paths have one normal form, and a path that could be read in
 * two ways has none (RFC 3986 sections 5.2.4 and 6.2.2). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "path.h"

struct example {
	const char *path;
	const char *want; /* the normal form; NULL: refused */
	enum parser_error error;
};

#define EVERY(table) table, sizeof(table) / sizeof((table)[0])

/* To another place, and in place. */
static void
assert_normal(const struct path_rules *rules, const struct example *e)
{
	char out[64], in[64];
	size_t len = strlen(e->path), out_len, in_len;
	enum parser_error error;

	assert_true(len < sizeof(in));
	memcpy(in, e->path, len);
	memset(out, '#', sizeof(out));
	error =
	    path_normalise(rules, (struct slice){e->path, len}, out, &out_len);
	if (error != e->error)
		print_error("%s: %s\n", e->path, parser_error_str(error));
	assert_int_equal(error, e->error);
	assert_int_equal(
	    path_normalise(rules, (struct slice){in, len}, in, &in_len), error);
	if (e->want == NULL)
		return;
	if (out_len != strlen(e->want))
		print_error("%s: %.*s\n", e->path, (int)out_len, out);
	assert_int_equal(out_len, strlen(e->want));
	assert_memory_equal(out, e->want, out_len);
	assert_int_equal(out[len], '#');
	assert_int_equal(in_len, out_len);
	assert_memory_equal(in, out, out_len);
}

static void
assert_all(
    const struct path_rules *rules, const struct example *all, size_t count)
{
	for (size_t i = 0; i < count; i++)
		assert_normal(rules, &all[i]);
}

#define IS(path, want) {path, want, PARSER_NONE}
#define NOT(path, why) {path, NULL, PARSER_##why}

static void
test_dot_segments(void **state)
{
	static const struct example all[] = {
	    IS("/", "/"),
	    IS("/a", "/a"),
	    IS("/a/", "/a/"),
	    IS("/.", "/"),
	    IS("/./", "/"),
	    IS("/./a", "/a"),
	    IS("/a/.", "/a/"),
	    IS("/a/./", "/a/"),
	    IS("/a/..", "/"),
	    IS("/a/../", "/"),
	    IS("/a/b/..", "/a/"),
	    IS("/a/b/../", "/a/"),
	    IS("/a/b/../../c", "/c"),
	    IS("/a/b/c/./../../g", "/a/g"),
	    IS("/x/../admin", "/admin"),
	    IS("/a/.b/..c/d./e../...", "/a/.b/..c/d./e../..."),
	    IS("/..a/.a", "/..a/.a"),
	    IS("/a/..;/b", "/a/..;/b"),
	    NOT("/..", PATH_ROOT),
	    NOT("/../", PATH_ROOT),
	    NOT("/../a", PATH_ROOT),
	    NOT("/./..", PATH_ROOT),
	    NOT("/a/../../a", PATH_ROOT),
	    NOT("/a/../..", PATH_ROOT),
	};

	(void)state;
	assert_all(&(struct path_rules){0}, EVERY(all));
}

static void
test_empty_segments(void **state)
{
	static const struct example all[] = {
	    IS("//", "/"),
	    IS("///", "/"),
	    IS("//a", "/a"),
	    IS("/a//b", "/a/b"),
	    IS("/a//", "/a/"),
	    IS("/a//.", "/a/"),
	    IS("/a//../b", "/b"),
	    IS("/.//a", "/a"),
	    IS("//./a", "/a"),
	    NOT("//..", PATH_ROOT),
	    NOT("//../a", PATH_ROOT),
	};

	(void)state;
	assert_all(&(struct path_rules){0}, EVERY(all));
}

static void
test_escapes(void **state)
{
	static const struct example all[] = {
	    IS("/%61dmin", "/admin"),
	    IS("/%41%5a%7A%30%39%2D%2d%5F%7e", "/AZz09--_~"),
	    IS("/%2e", "/"),
	    IS("/x/%2e%2e/a", "/a"),
	    IS("/x/%2E./a", "/a"),
	    IS("/x/.%2e/a", "/a"),
	    IS("/x/.%2E", "/"),
	    IS("/%2ea", "/.a"),
	    IS("/%2e%2e%2e", "/..."),
	    IS("/%2561", "/%2561"),
	    IS("/%252e%252e/a", "/%252e%252e/a"),
	    IS("/%2f%2F%3f%3b%25", "/%2F%2F%3F%3B%25"),
	    IS("/a%2f..%2fb", "/a%2F..%2Fb"),
	    IS("/..%2fb", "/..%2Fb"),
	    IS("/%5c\\%5C", "/%5C\\%5C"),
	    IS("/caf%c3%A9%20%0d%7f", "/caf%C3%A9%20%0D%7F"),
	    NOT("/%2e%2e", PATH_ROOT),
	    NOT("/%2E%2e/a", PATH_ROOT),
	    NOT("/%", PATH_ESCAPE),
	    NOT("/100%", PATH_ESCAPE),
	    NOT("/%4", PATH_ESCAPE),
	    NOT("/%zz", PATH_ESCAPE),
	    NOT("/%4g", PATH_ESCAPE),
	    NOT("/%%41", PATH_ESCAPE),
	    NOT("/%4/1", PATH_ESCAPE),
	    NOT("/%00", NUL),
	    NOT("/a/../%00", NUL),
	    /* Refused also in a segment that will be left out. */
	    NOT("/%zz/..", PATH_ESCAPE),
	    NOT("/%00/..", NUL),
	};

	(void)state;
	assert_all(&(struct path_rules){0}, EVERY(all));
}

static void
test_refused_instead(void **state)
{
	static const struct path_rules rules = {
	    .dot_segments = PATH_DOTS_REFUSE,
	    .empty_segments = PATH_EMPTY_REFUSE,
	    .escapes = PATH_ESCAPES_REFUSE,
	    .encoded_slash = PATH_SLASH_REFUSE,
	    .backslash = PATH_SLASH_REFUSE,
	};
	static const struct example all[] = {
	    IS("/", "/"),
	    IS("/a.b/c/", "/a.b/c/"),
	    IS("/caf%c3%a9", "/caf%C3%A9"),
	    NOT("/.", PATH_DOTS),
	    NOT("/a/../b", PATH_DOTS),
	    NOT("/..", PATH_DOTS),
	    NOT("//", PATH_EMPTY),
	    NOT("/a//b", PATH_EMPTY),
	    NOT("/%61", PATH_PLAIN),
	    NOT("/x/%2e%2e/a", PATH_PLAIN),
	    NOT("/a%2fb", PATH_SLASH),
	    NOT("/a%2Fb", PATH_SLASH),
	    NOT("/a%2f/..", PATH_SLASH),
	    NOT("/a\\b", PATH_BACKSLASH),
	    NOT("/a%5cb", PATH_BACKSLASH),
	    NOT("/%5C", PATH_BACKSLASH),
	};

	(void)state;
	assert_all(&rules, EVERY(all));
}

/* An escaped dot is a dot, and an escape alone is no dot segment. */
static void
test_rules_are_apart(void **state)
{
	static const struct example dots[] = {
	    NOT("/x/%2e%2e/a", PATH_DOTS),
	    NOT("/%2E", PATH_DOTS),
	    IS("/%61//b", "/a/b"),
	};
	static const struct example escapes[] = {
	    IS("/a/../b//c", "/b/c"),
	    NOT("/%7e", PATH_PLAIN),
	};

	(void)state;
	assert_all(&(struct path_rules){.dot_segments = PATH_DOTS_REFUSE},
	    EVERY(dots));
	assert_all(&(struct path_rules){.escapes = PATH_ESCAPES_REFUSE},
	    EVERY(escapes));
}

/* Section 5.2.4 to the letter: `..` takes an empty segment, too. */
static void
test_empty_segments_kept(void **state)
{
	static const struct example all[] = {
	    IS("//", "//"),
	    IS("//a//b//", "//a//b//"),
	    IS("/a//../b", "/a/b"),
	    IS("/a//..", "/a/"),
	    IS("//..", "/"),
	    NOT("//../..", PATH_ROOT),
	    IS("/.//a", "//a"),
	    IS("/a/..//b", "//b"),
	};
	static const struct path_rules rules = {
	    .empty_segments = PATH_EMPTY_KEEP};

	(void)state;
	assert_all(&rules, EVERY(all));
}

static void
test_nul_is_found(void **state)
{
	static const char *const with[] = {"%00", "a=%00", "%%00", "%4%00&b"};
	static const char *const without[] = {
	    "", "%", "%0", "00", "%01", "%20%10", "%0%0", "%zz"};

	(void)state;
	for (size_t i = 0; i < sizeof(with) / sizeof(with[0]); i++)
		assert_true(
		    path_has_nul((struct slice){with[i], strlen(with[i])}));
	for (size_t i = 0; i < sizeof(without) / sizeof(without[0]); i++)
		assert_false(path_has_nul(
		    (struct slice){without[i], strlen(without[i])}));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_dot_segments),
	    cmocka_unit_test(test_empty_segments),
	    cmocka_unit_test(test_escapes),
	    cmocka_unit_test(test_refused_instead),
	    cmocka_unit_test(test_rules_are_apart),
	    cmocka_unit_test(test_empty_segments_kept),
	    cmocka_unit_test(test_nul_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
