/* Goal: a page is the same in HTML and as text, and no text becomes markup. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "page.h"

static char *
compose(bool html)
{
	struct page p;
	char *text;

	assert_int_equal(page_begin(&p, html, "A & B"), 0);
	page_heading(&p, "<h>");
	page_paragraph(&p, "%d \"words\"", 2);
	page_begin_values(&p);
	page_value(&p, "key", "%s", "it's");
	page_end_values(&p);
	page_command(&p, &(struct page_command){"About", "/a?b&c", "curl x"});
	page_command(&p, &(struct page_command){"No link", NULL, "kill 1"});
	text = page_end(&p);
	assert_non_null(text);
	assert_int_equal(strlen(text), p.len);
	return text;
}

static void
assert_has(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("no \"%s\" in: %s", part, text);
}

static void
text_is_plain(void **state)
{
	char *text = compose(false);

	(void)state;
	assert_string_equal(text, "A & B\n"
				  "\n<h>\n"
				  "\n2 \"words\"\n"
				  "\n  key                       it's\n"
				  "\n  # About\n  curl x\n"
				  "\n  # No link\n  kill 1\n");
	free(text);
}

static void
html_is_escaped(void **state)
{
	char *text = compose(true);

	(void)state;
	assert_int_equal(strncmp(text, "<!DOCTYPE html>\n", 16), 0);
	assert_has(text, "<title>A &amp; B</title>\n");
	assert_has(text, "<h1>A &amp; B</h1>\n");
	assert_has(text, "<h2>&lt;h&gt;</h2>\n");
	assert_has(text, "<p>2 &quot;words&quot;</p>\n");
	assert_has(text, "<dt>key</dt><dd>it&#39;s</dd>");
	assert_has(text, "<p>About <a href=\"/a?b&amp;c\">/a?b&amp;c</a></p>\n"
			 "<pre><code>curl x</code></pre>\n");
	assert_has(text, "<p>No link</p>\n");
	assert_has(text, "</main>\n</html>\n");
	free(text);
}

static void
a_long_text_is_cut(void **state)
{
	char big[2 * PAGE_TEXT_MAX];
	struct page p;
	char *text;

	(void)state;
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	assert_int_equal(page_begin(&p, false, ""), 0);
	page_paragraph(&p, "%s", big);
	text = page_end(&p);
	assert_int_equal(p.len, strlen("\n\n\n") + PAGE_TEXT_MAX - 1);
	free(text);
}

static bool
wants_html(const char *name, const char *value)
{
	static struct head head;

	head.fields = head.few;
	head.field_count = 1;
	head.fields[0].name = (struct slice){name, strlen(name)};
	head.fields[0].value = (struct slice){value, strlen(value)};
	return page_wants_html(&head);
}

static void
a_browser_names_html(void **state)
{
	static const struct head none;

	(void)state;
	assert_true(wants_html("Accept", "text/html"));
	assert_true(wants_html("accept", "application/xml, TEXT/HTML;q=0.9"));
	assert_false(wants_html("Accept", "*/*"));
	assert_false(wants_html("Accept", "text/htm"));
	assert_false(wants_html("Accept-Language", "text/html"));
	assert_false(page_wants_html(&none));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(text_is_plain),
	    cmocka_unit_test(html_is_escaped),
	    cmocka_unit_test(a_long_text_is_cut),
	    cmocka_unit_test(a_browser_names_html),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
