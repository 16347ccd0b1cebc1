#include "fields.h"

void
fields_add_all(struct fields *f, const struct field *array)
{
	for (; array != NULL && array->name != NULL; array++)
		fields_add(f, array->name, array->value);
}

/* The form of fields_add_line(): one space before the value, and the line's end
 * behind. Without the space, too: a passed field never grows, and so a head of
 * many short fields still fits into its block. */
static bool
is_written_so(const struct head_field *h)
{
	bool is_spaced = h->value.at == h->name.at + h->name.len + 2 &&
			 h->value.at[-1] == ' ';

	return (is_spaced || h->value.at == h->name.at + h->name.len + 1) &&
	       h->value.at[h->value.len] == '\r';
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
