/* Goal: a text is found wherever the pieces are cut, and only the text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fragment.h"

static bool
find_cut(const char *text, const char *body, size_t piece)
{
	struct fragment f = {.text = text};
	size_t len = strlen(body);

	for (size_t at = 0; at < len; at += piece)
		if (fragment_find(
			&f, body + at, len - at < piece ? len - at : piece))
			return true;
	return false;
}

/* The bits of n as letters. */
static void
spell(char *to, unsigned n, size_t len)
{
	for (size_t i = 0; i < len; i++)
		to[i] = (n >> i & 1) != 0 ? 'b' : 'a';
	to[len] = '\0';
}

/* As strstr(3), for each text of up to 4 letters of two, and bodies of 8. */
static void
it_agrees_with_a_plain_search(void **state)
{
	char text[5], body[9];

	(void)state;
	for (unsigned t = 0; t < 16 * 4; t++) {
		spell(text, t, 1 + t / 16);
		for (unsigned b = 0; b < 256; b++) {
			spell(body, b, 8);
			for (size_t piece = 1; piece <= 8; piece++)
				assert_int_equal(find_cut(text, body, piece),
				    strstr(body, text) != NULL);
		}
	}
}

static void
nothing_has_no_text(void **state)
{
	struct fragment f = {.text = "a"};

	(void)state;
	assert_false(fragment_find(&f, NULL, 0));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(it_agrees_with_a_plain_search),
	    cmocka_unit_test(nothing_has_no_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
