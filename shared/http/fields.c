#include "fields.h"

void
fields_init(struct fields *f, char *data, size_t cap)
{
	text_init(&f->lines, data, cap);
}

void
fields_add_uint(struct fields *f, const char *name, uint64_t value)
{
	text_add_uint(fields_open(f, name), value);
	fields_close(f);
}

void
fields_add_all(struct fields *f, const struct field *array)
{
	for (; array != NULL && array->name != NULL; array++)
		fields_add(f, array->name, array->value);
}

struct text *
fields_open(struct fields *f, const char *name)
{
	text_add_str(&f->lines, name);
	text_add(&f->lines, ": ", 2);
	return &f->lines;
}

void
fields_close(struct fields *f)
{
	text_add(&f->lines, "\r\n", 2);
}

void
fields_end_run(struct fields *f, struct fields_run *run)
{
	if (run->at != NULL)
		text_add(&f->lines, run->at, (size_t)(run->end - run->at));
	run->at = NULL;
}

/* The form of fields_add_line(): one space before the value, and the line's end
 * behind. */
static bool
is_written_so(const struct head_field *h)
{
	return h->value.at == h->name.at + h->name.len + 2 &&
	       h->value.at[-1] == ' ' && h->value.at[h->value.len] == '\r';
}

void
fields_pass(
    struct fields *f, struct fields_run *run, const struct head_field *h)
{
	if (!is_written_so(h)) {
		fields_end_run(f, run);
		fields_add_line(f, h->name, h->value);
		return;
	}
	if (run->at == NULL || run->end != h->name.at) {
		fields_end_run(f, run);
		run->at = h->name.at;
	}
	run->end = h->value.at + h->value.len + 2;
}
