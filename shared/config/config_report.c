#include "config_report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct entry {
	unsigned line;
	char path[CONFIG_PATH_MAX];
	char what[CONFIG_LINE_MAX];
};

struct list {
	struct entry entries[CONFIG_REPORT_MAX];
	unsigned count; /* of all; more than are kept, maybe */
};

struct config_report {
	const char *file;
	struct list faults;
	struct list warnings;
};

struct config_report *
config_report_new(const char *file)
{
	struct config_report *r = calloc(1, sizeof(*r));

	if (r != NULL)
		r->file = file;
	return r;
}

void
config_report_free(struct config_report *r)
{
	free(r);
}

static unsigned
kept(const struct list *l)
{
	return l->count < CONFIG_REPORT_MAX ? l->count : CONFIG_REPORT_MAX;
}

__attribute__((format(printf, 4, 0))) static void
add(struct list *l, unsigned line, const char *path, const char *fmt,
    va_list ap)
{
	struct entry *e;

	if (l->count++ >= CONFIG_REPORT_MAX)
		return;
	e = &l->entries[l->count - 1];
	e->line = line;
	snprintf(e->path, sizeof(e->path), "%s", path);
	vsnprintf(e->what, sizeof(e->what), fmt, ap);
}

void
config_report_fault(struct config_report *r, unsigned line, const char *path,
    const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(&r->faults, line, path, fmt, ap);
	va_end(ap);
}

void
config_report_warn(struct config_report *r, unsigned line, const char *path,
    const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(&r->warnings, line, path, fmt, ap);
	va_end(ap);
}

bool
config_report_has_faults(const struct config_report *r)
{
	return r->faults.count != 0;
}

bool
config_report_is_clean(const struct config_report *r, const char *path)
{
	size_t len = strlen(path);

	for (unsigned i = 0; i < kept(&r->faults); i++) {
		const char *faulty = r->faults.entries[i].path;

		if (strncmp(faulty, path, len) == 0 &&
		    strchr(".[", faulty[len]) != NULL)
			return false;
	}
	return r->faults.count <= CONFIG_REPORT_MAX;
}

/* Stable, so that a line's entries stay in the order of finding. */
static void
sort(struct list *l)
{
	struct entry *e = l->entries, swap;

	for (unsigned i = 1; i < kept(l); i++) {
		for (unsigned j = i; j > 0 && e[j - 1].line > e[j].line; j--) {
			swap = e[j];
			e[j] = e[j - 1];
			e[j - 1] = swap;
		}
	}
}

/* The end of a very long name says more than its beginning. */
static const char *
file_of(const struct config_report *r)
{
	size_t len = strlen(r->file), max = CONFIG_LINE_MAX / 2;

	return r->file + (len > max ? len - max : 0);
}

/* One line to the end of text: printable, whatever the file's text was. */
__attribute__((format(printf, 2, 3))) static void
put(char *text, const char *fmt, ...)
{
	char *at = text + strlen(text);
	va_list ap;

	if (at > text)
		*at++ = '\n';
	va_start(ap, fmt);
	vsnprintf(at, CONFIG_LINE_MAX, fmt, ap);
	va_end(ap);
	for (; *at != '\0'; at++)
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			*at = '?';
}

static void
write_list(
    const struct config_report *r, struct list *l, const char *kind, char *text)
{
	char line[16];

	sort(l);
	for (unsigned i = 0; i < kept(l); i++) {
		const struct entry *e = &l->entries[i];

		snprintf(line, sizeof(line), "%u:", e->line);
		put(text, "%s:%s %s%s%s%s", file_of(r),
		    e->line != 0 ? line : "", kind, e->path,
		    e->path[0] != '\0' ? ": " : "", e->what);
	}
	if (l->count > CONFIG_REPORT_MAX)
		put(text, "%s: %sand %u more", file_of(r), kind,
		    l->count - CONFIG_REPORT_MAX);
}

void
config_report_write(struct config_report *r, char text[CONFIG_ERROR_MAX])
{
	text[0] = '\0';
	write_list(r, &r->faults, "", text);
	write_list(r, &r->warnings, "warning: ", text);
}
