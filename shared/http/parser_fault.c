#include "parser_fault.h"

#include "octet.h"
#include "text.h"

/* Bytes shown of a name or a value; a byte of a value takes up to four. */
#define NAME_SHOWN 48
#define VALUE_SHOWN 16

static uint64_t
limit_of(const struct parser *m)
{
	switch (m->error) {
	case PARSER_TARGET_TOO_LONG:
		return m->limits.target_bytes;
	case PARSER_BODY_TOO_LARGE:
		return m->limits.body_bytes;
	default:
		return m->limits.head_bytes;
	}
}

static void
add_reason(struct text *t, const struct parser *m, const char *section)
{
	const char *key = parser_error_key(m->error);

	text_add_str(t, parser_error_str(m->error));
	if (key[0] == '\0')
		return;
	text_add_str(t, " (");
	if (section != NULL) {
		text_add_str(t, section);
		text_add_str(t, ".");
		text_add_str(t, key);
		text_add_str(t, ": ");
	}
	text_add_uint(t, limit_of(m));
	text_add_str(t, " bytes)");
}

static void
add_byte(struct text *t, const char *prefix, char c)
{
	static const char digits[] = "0123456789abcdef";

	text_add_str(t, prefix);
	text_add(t, &digits[(uint8_t)c >> 4], 1);
	text_add(t, &digits[(uint8_t)c & 15], 1);
}

/* A name consists of printable characters alone. */
static void
add_name(struct text *t, struct slice name)
{
	text_add(t, name.at, name.len < NAME_SHOWN ? name.len : NAME_SHOWN);
	if (name.len > NAME_SHOWN)
		text_add_str(t, "...");
}

static void
add_value(struct text *t, struct slice value)
{
	size_t len = value.len < VALUE_SHOWN ? value.len : VALUE_SHOWN;

	text_add_str(t, ": `");
	for (size_t i = 0; i < len; i++)
		if (octet_is(value.at[i], OCTET_TOKEN) || value.at[i] == ' ')
			text_add(t, &value.at[i], 1);
		else
			add_byte(t, "\\x", value.at[i]);
	text_add_str(t, value.len > len ? "...`" : "`");
}

/* The error is about a byte, not about a count of bytes. */
static bool
is_about_byte(enum parser_error error)
{
	return error == PARSER_SYNTAX || error == PARSER_LINE_ENDS ||
	       error == PARSER_REASON || error == PARSER_FIELD_NAME ||
	       error == PARSER_FIELD_VALUE || error == PARSER_TARGET;
}

/* The byte that the scan did not take. */
static void
add_wrong(struct text *t, const struct parser_scan *s)
{
	add_byte(t, ": byte 0x", *s->wrong);
	text_add_str(t, " at ");
	text_add_uint(
	    t, s->start != NULL ? (uint64_t)(s->wrong - s->start) : 0);
}

static void
add_place(struct text *t, const struct parser *m)
{
	const struct parser_scan *s = &m->scan;
	struct slice name = {NULL, 0}, value = {NULL, 0};

	if (s->wrong != NULL && is_about_byte(m->error))
		add_wrong(t, s);
	if (s->error != PARSER_NONE ||
	    (m->error == PARSER_HEAD_TOO_LARGE && !m->head_done))
		name = parser_scan_field(s);
	else if (m->error == PARSER_LENGTH)
		value = head_value(&m->head, "content-length");
	else if (m->error == PARSER_CODING || m->error == PARSER_CODING_UNKNOWN)
		value = head_value(&m->head, "transfer-encoding");
	if (name.len > 0) {
		text_add_str(t, ", in field ");
		add_name(t, name);
	}
	if (value.at != NULL)
		add_value(t, value);
}

static void
finish(struct text *t)
{
	t->data[t->len] = '\0';
}

void
parser_fault_reason(
    const struct parser *m, const char *section, char text[PARSER_FAULT_MAX])
{
	struct text t;

	text_init(&t, text, PARSER_FAULT_MAX - 1);
	add_reason(&t, m, section);
	finish(&t);
}

void
parser_fault_full(
    const struct parser *m, const char *section, char text[PARSER_FAULT_MAX])
{
	struct text t;

	text_init(&t, text, PARSER_FAULT_MAX - 1);
	add_reason(&t, m, section);
	add_place(&t, m);
	finish(&t);
}
