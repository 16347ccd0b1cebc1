/* Goal: references, defaults and escapes expand as in compose files. The shield
 * hides references from YAML alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config_expand.h"

static int
set_up(void **state)
{
	(void)state;
	setenv("T_SET", "value", 1);
	setenv("T_EMPTY", "", 1);
	setenv("T_TRICKY", "${T_SET}\n  evil: \"yes\"", 1);
	unsetenv("T_UNSET");
	return 0;
}

static void
test_values(void **state)
{
	static const struct {
		const char *text;
		const char *expanded;
	} cases[] = {
	    {"", ""},
	    {"plain", "plain"},
	    {"${T_SET}", "value"},
	    {"a${T_SET}b${T_SET}c", "avaluebvaluec"},
	    {"${T_UNSET}", ""},
	    {"x${T_UNSET}y", "xy"},
	    {"${T_UNSET:-d}", "d"},
	    {"${T_UNSET-d}", "d"},
	    {"${T_EMPTY:-d}", "d"},
	    {"${T_EMPTY-d}", ""},
	    {"${T_SET:-d}", "value"},
	    {"${T_UNSET:-}", ""},
	    {"${T_UNSET:-127.0.0.1:80}", "127.0.0.1:80"},
	    {"${T_UNSET:-redis://h:1/0}", "redis://h:1/0"},
	    {"${T_UNSET:-${T_SET}!}", "value!"},
	    {"${T_UNSET:-${T_EMPTY:-${T_SET}}}", "value"},
	    {"${T_SET:-${T_UNSET:?not reached}}", "value"},
	    {"${T_SET:?why}", "value"},
	    {"${T_EMPTY?why}", ""},
	    {"${T_UNSET-b c:-}d}", "b c:-d}"},
	    {"$$", "$"},
	    {"$${T_SET}", "${T_SET}"},
	    {"$$${T_SET}", "$value"},
	    {"$", "$"},
	    {"a$b", "a$b"},
	    {"$5.00", "$5.00"},
	    {"{\"id\":\"{{random}}\",\"a\":[1,{}]}",
		"{\"id\":\"{{random}}\",\"a\":[1,{}]}"},
	    {"${T_UNSET:-{\"a\":{}}}", "{\"a\":{}}"},
	    /* A variable's value is text, and never expanded again. */
	    {"${T_TRICKY}", "${T_SET}\n  evil: \"yes\""},
	};
	char why[CONFIG_EXPAND_WHY_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *out = config_expand(cases[i].text, why);

		assert_non_null(out);
		assert_string_equal(out, cases[i].expanded);
		free(out);
	}
}

static void
test_failures(void **state)
{
	static const struct {
		const char *text;
		const char *why;
	} cases[] = {
	    {"${", "${ has no closing brace"},
	    {"a ${T_SET", "${T_SET has no closing brace"},
	    {"${}", "${} is no reference"},
	    {"${1X}", "${1X} is no reference"},
	    {"${T SET}", "${T SET} is no reference"},
	    {"${T_SET:}", "${T_SET:} is no reference"},
	    {"${T_SET:+x}", "${T_SET:+x} is no reference"},
	    {"${T_UNSET:?say so}",
		"${T_UNSET:?say so} needs that environment variable"},
	    {"${T_EMPTY:?}", "needs that environment variable"},
	    {"${T_UNSET?}", "needs that environment variable"},
	};
	char why[CONFIG_EXPAND_WHY_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *out = config_expand(cases[i].text, why);

		assert_null(out);
		assert_non_null(strstr(why, cases[i].why));
	}
}

static void
test_caps(void **state)
{
	enum { DEEP = 12, BIG = 70000 };
	char deep[DEEP * 6 + DEEP + 1] = "", why[CONFIG_EXPAND_WHY_MAX];
	char *big = malloc(BIG + 1);

	(void)state;
	for (int i = 0; i < DEEP; i++)
		strcat(deep, "${Q:-");
	for (int i = 0; i < DEEP; i++)
		strcat(deep, "}");
	assert_null(config_expand(deep, why));
	assert_non_null(strstr(why, "nested too deeply"));

	assert_non_null(big);
	memset(big, 'x', BIG);
	big[BIG] = '\0';
	assert_null(config_expand(big, why));
	assert_non_null(strstr(why, "longer than 64k"));
	free(big);
}

static char *
shield(const char *text)
{
	size_t len;
	char *out = config_expand_shield(text, strlen(text), &len);

	assert_non_null(out);
	assert_int_equal(len, strlen(out));
	return out;
}

static void
test_shield(void **state)
{
	static const char *const kept[] = {"", "a: {b: [c, d]} # e", "$${A:-b}",
	    "${A: b", "${A\n}", "$", "${", "x: \"$\""};
	static const char *const hidden[] = {"${A}", "${A:-b: {c, d} # [e]}",
	    "${A:-\"q\\\"\"}", "${A:-\xc3\xa9}"};
	char *out;

	(void)state;
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
		out = shield(kept[i]);
		assert_string_equal(out, kept[i]);
		free(out);
	}
	for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++) {
		out = shield(hidden[i]);
		assert_null(strpbrk(out, "{}[],:# "));
		config_expand_unshield(out);
		assert_string_equal(out, hidden[i]);
		free(out);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_values),
	    cmocka_unit_test(test_failures),
	    cmocka_unit_test(test_caps),
	    cmocka_unit_test(test_shield),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
