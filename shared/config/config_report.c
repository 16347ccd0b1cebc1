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
	unsigned kept;
	unsigned lost; /* entries without room */
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

/* Room for an entry behind all entries up to the line. NULL when the list is
 * full up to the line. */
static struct entry *
insert(struct list *l, unsigned line)
{
	unsigned at = l->kept;

	while (at > 0 && l->entries[at - 1].line > line)
		at--;
	if (l->kept < CONFIG_REPORT_MAX)
		l->kept++;
	else
		l->lost++;
	if (at == CONFIG_REPORT_MAX)
		return NULL;
	memmove(&l->entries[at + 1], &l->entries[at],
	    (l->kept - at - 1) * sizeof(l->entries[0]));
	return &l->entries[at];
}

__attribute__((format(printf, 4, 0))) static void
add(struct list *l, unsigned line, const char *path, const char *fmt,
    va_list ap)
{
	struct entry *e = insert(l, line);

	if (e == NULL)
		return;
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
	return r->faults.kept != 0;
}

bool
config_report_is_clean(const struct config_report *r, const char *path)
{
	size_t len = strlen(path);

	for (unsigned i = 0; i < r->faults.kept; i++) {
		const char *faulty = r->faults.entries[i].path;

		if (strncmp(faulty, path, len) == 0 &&
		    strchr(".[", faulty[len]) != NULL)
			return false;
	}
	return r->faults.lost == 0;
}

/* Appends a line to text, with ? for unprintable characters. */
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
write_list(const char *file, const struct list *l, const char *kind, char *text)
{
	char line[16];

	for (unsigned i = 0; i < l->kept; i++) {
		const struct entry *e = &l->entries[i];

		snprintf(line, sizeof(line), "%u:", e->line);
		put(text, "%s:%s %s%s%s%s", file, e->line != 0 ? line : "",
		    kind, e->path, e->path[0] != '\0' ? ": " : "", e->what);
	}
	if (l->lost != 0)
		put(text, "%s: %sand %u more", file, kind, l->lost);
}

void
config_report_write(const struct config_report *r, char text[CONFIG_ERROR_MAX])
{
	size_t len = strlen(r->file), max = CONFIG_LINE_MAX / 2;
	/* The end of a very long name says more than the beginning. */
	const char *file = r->file + (len > max ? len - max : 0);

	text[0] = '\0';
	write_list(file, &r->faults, "", text);
	write_list(file, &r->warnings, "warning: ", text);
}
