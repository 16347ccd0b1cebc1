/*
 * page - a page for people, written once and shown in two ways: HTML for a
 * browser, plain text for curl. Worker only.
 *
 * The HTML is complete: no script, no font, no picture. Every text argument is
 * escaped, and cut after PAGE_TEXT_MAX - 1 bytes.
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
/* The whole page, to be freed; its length is p->len. NULL without memory. */
char *page_end(struct page *p);
/* The page's media type, and header fields for browsers. */
const char *page_type(const struct page *p);
const struct field *page_fields(void);

void page_heading(struct page *p, const char *text);
__attribute__((format(printf, 2, 3))) void page_paragraph(
    struct page *p, const char *fmt, ...);
/* A table of values, between begin and end. */
void page_begin_values(struct page *p);
__attribute__((format(printf, 3, 4))) void page_value(
    struct page *p, const char *name, const char *fmt, ...);
void page_end_values(struct page *p);
/* A command to type, below a line about its effect. href: NULL, or a browser's
 * path to the same effect. */
struct page_command {
	const char *about;
	const char *href;
	const char *command;
};
void page_command(struct page *p, const struct page_command *c);

#endif
