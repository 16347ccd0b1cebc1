/*
 * page - a page for people, written once and shown in two ways: as HTML to a
 * browser, and as plain text to curl. Worker only.
 *
 * The HTML needs nothing else: no script, no font, no picture. All that is
 * given as text is escaped, and cut after PAGE_TEXT_MAX - 1 bytes.
 */
#ifndef PAGE_H
#define PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "fields.h"
#include "head.h"

#define PAGE_TEXT_MAX 1024

struct page {
	FILE *f;
	char *text;
	size_t len;
	bool html;
};

/* Whether the client is a browser: its Accept names text/html. */
bool page_wants_html(const struct head *request);

/* -1 with ENOMEM. */
int page_begin(struct page *p, bool html, const char *title);
/* The whole page, to be freed, and p->len its length; NULL when memory has
 * ended. */
char *page_end(struct page *p);
/* Its media type, and the fields that a browser goes by. */
const char *page_type(const struct page *p);
const struct field *page_fields(void);

void page_heading(struct page *p, const char *text);
__attribute__((format(printf, 2, 3))) void page_paragraph(
    struct page *p, const char *fmt, ...);
/* A table of values, between its begin and end. */
void page_begin_values(struct page *p);
__attribute__((format(printf, 3, 4))) void page_value(
    struct page *p, const char *name, const char *fmt, ...);
void page_end_values(struct page *p);
/* A command to type, and above that, what comes of it. href: NULL, or the path
 * that leads a browser to the same. */
struct page_command {
	const char *about;
	const char *href;
	const char *command;
};
void page_command(struct page *p, const struct page_command *c);

#endif
