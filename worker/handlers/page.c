#include "page.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define HTML "text/html"
#define VALUE_COLUMN 24

/* The icon keeps a browser from asking for /favicon.ico. */
static const char head[] =
    "<meta name=\"viewport\" content=\"width=device-width, "
    "initial-scale=1\">\n"
    "<meta name=\"color-scheme\" content=\"light dark\">\n"
    "<link rel=\"icon\" href=\"data:,\">\n"
    "<style>\n"
    ":root{--page:#f6f7f9;--card:#fff;--line:#d9dde3;--text:#1c2128;"
    "--soft:#59636e;--link:#0757b8;--code:#eef0f3}\n"
    "@media(prefers-color-scheme:dark){:root{--page:#14171b;--card:#1c2127;"
    "--line:#363d46;--text:#e6e9ed;--soft:#9aa4b0;--link:#78b0ff;"
    "--code:#111418}}\n"
    "*{box-sizing:border-box}\n"
    "body{margin:0;background:var(--page);color:var(--text);"
    "font:16px/1.5 system-ui,sans-serif}\n"
    "main{max-width:46rem;margin:0 auto;padding:1.5rem 1rem 3rem}\n"
    "h1{margin:0 0 .25rem;font-size:2rem;line-height:1.2}\n"
    "h2{margin:2rem 0 .75rem;font-size:1.15rem}\n"
    "p{margin:.5rem 0}\n"
    "a{color:var(--link)}\n"
    "dl{display:grid;grid-template-columns:repeat(2,1fr);gap:1px;"
    "margin:1.25rem 0;background:var(--line);border:1px solid var(--line);"
    "border-radius:8px;overflow:hidden}\n"
    "@media(min-width:40rem){dl{grid-template-columns:repeat(4,1fr)}}\n"
    "dl div{padding:.5rem .75rem;background:var(--card)}\n"
    "dt{color:var(--soft);font-size:.8rem}\n"
    "dd{margin:0;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}\n"
    "pre{margin:.25rem 0 1rem;padding:.6rem .75rem;background:var(--code);"
    "border:1px solid var(--line);border-radius:6px;white-space:pre-wrap;"
    "overflow-wrap:anywhere;font:14px/1.5 ui-monospace,monospace}\n"
    "</style>\n";

/* Is part, in whatever case, in the text? */
static bool
contains(struct slice text, const char *part)
{
	size_t len = strlen(part);

	for (size_t i = 0; i + len <= text.len; i++)
		if (strncasecmp(text.at + i, part, len) == 0)
			return true;
	return false;
}

bool
page_wants_html(const struct head *request)
{
	for (size_t i = 0; i < request->field_count; i++)
		if (slice_is(request->fields[i].name, "accept") &&
		    contains(request->fields[i].value, HTML))
			return true;
	return false;
}

const char *
page_type(const struct page *p)
{
	return p->html ? HTML "; charset=utf-8" : "text/plain; charset=utf-8";
}

const struct field *
page_fields(void)
{
	static const struct field fields[] = {
	    {"Cache-Control", "no-store"},
	    {"Vary", "Accept"},
	    {"Content-Security-Policy",
		"default-src 'none'; style-src 'unsafe-inline'; "
		"img-src data:; base-uri 'none'; form-action 'none'; "
		"frame-ancestors 'none'"},
	    {"X-Content-Type-Options", "nosniff"},
	    {NULL, NULL},
	};

	return fields;
}

/* For HTML text and for a quoted attribute. NULL: no entity is needed. */
static const char *
entity(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return NULL;
	}
}

static void
put(struct page *p, const char *text)
{
	for (; *text != '\0'; text++) {
		const char *name = p->html ? entity(*text) : NULL;

		if (name != NULL)
			fputs(name, p->f);
		else
			fputc(*text, p->f);
	}
}

/* Between two pieces of HTML, which plain text leaves out. */
static void
put_in(struct page *p, const char *before, const char *text, const char *after)
{
	if (p->html)
		fputs(before, p->f);
	put(p, text);
	fputs(p->html ? after : "\n", p->f);
}

int
page_begin(struct page *p, bool html, const char *title)
{
	*p = (struct page){.html = html};
	p->f = open_memstream(&p->text, &p->len);
	if (p->f == NULL)
		return -1;
	if (html) {
		fputs("<!DOCTYPE html>\n<html lang=\"en\">\n"
		      "<meta charset=\"utf-8\">\n",
		    p->f);
		put_in(p, "<title>", title, "</title>\n");
		fputs(head, p->f);
		fputs("<main>\n", p->f);
	}
	put_in(p, "<h1>", title, "</h1>\n");
	return 0;
}

char *
page_end(struct page *p)
{
	if (p->html)
		fputs("</main>\n</html>\n", p->f);
	if (fclose(p->f) == 0)
		return p->text;
	free(p->text);
	return NULL;
}

void
page_heading(struct page *p, const char *text)
{
	if (!p->html)
		fputc('\n', p->f);
	put_in(p, "<h2>", text, "</h2>\n");
}

void
page_paragraph(struct page *p, const char *fmt, ...)
{
	char text[PAGE_TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (!p->html)
		fputc('\n', p->f);
	put_in(p, "<p>", text, "</p>\n");
}

void
page_begin_values(struct page *p)
{
	fputs(p->html ? "<dl>\n" : "\n", p->f);
}

void
page_value(struct page *p, const char *name, const char *fmt, ...)
{
	char text[PAGE_TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (!p->html) {
		fprintf(p->f, "  %-*s  %s\n", VALUE_COLUMN, name, text);
		return;
	}
	fputs("<div><dt>", p->f);
	put_in(p, "", name, "</dt>");
	put_in(p, "<dd>", text, "</dd></div>\n");
}

void
page_end_values(struct page *p)
{
	if (p->html)
		fputs("</dl>\n", p->f);
}

void
page_command(struct page *p, const struct page_command *c)
{
	if (!p->html) {
		fprintf(p->f, "\n  # %s\n  %s\n", c->about, c->command);
		return;
	}
	fputs("<p>", p->f);
	put(p, c->about);
	if (c->href != NULL) {
		put_in(p, " <a href=\"", c->href, "\">");
		put_in(p, "", c->href, "</a>");
	}
	fputs("</p>\n", p->f);
	put_in(p, "<pre><code>", c->command, "</code></pre>\n");
}
