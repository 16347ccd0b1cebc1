#include "config_expand.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 8
#define NAME_MAX_BYTES 127
#define REFERENCE_MAX 1024 /* longest search for a closing brace */

/* Characters with a meaning to YAML inside a plain scalar. */
#define SHIELDED "{}[],:# \t"
/* U+10FF00 + c in UTF-8 is F4 8F BC (80 + c), for c below 40 hex; BD above. */
#define SHIELD_BYTES 4

/* The closing brace of a reference whose text begins at `at`, or NULL. Braces
 * pair up: a default may be JSON. */
static const char *
find_close(const char *at, const char *end)
{
	unsigned depth = 0;

	for (; at < end; at++) {
		if (*at == '{')
			depth++;
		else if (*at == '}' && depth-- == 0)
			return at;
	}
	return NULL;
}

static size_t
shield_char(char *to, char c)
{
	unsigned char u = (unsigned char)c;

	if (strchr(SHIELDED, c) == NULL) {
		to[0] = c;
		return 1;
	}
	to[0] = (char)0xf4;
	to[1] = (char)0x8f;
	to[2] = (char)(u < 0x40 ? 0xbc : 0xbd);
	to[3] = (char)(0x80 | (u & 0x3f));
	return SHIELD_BYTES;
}

/* The closing brace of a reference at `at`, or NULL. A reference ends on the
 * line of its start. */
static const char *
reference_end(const char *at, const char *end)
{
	const char *line;

	if (end - at < 3 || at[0] != '$' || at[1] != '{')
		return NULL;
	if (end - at > REFERENCE_MAX)
		end = at + REFERENCE_MAX;
	line = memchr(at, '\n', (size_t)(end - at));
	return find_close(at + 2, line != NULL ? line : end);
}

char *
config_expand_shield(const char *text, size_t len, size_t *shielded_len)
{
	const char *at = text, *end = text + len, *close;
	char *to, *out = malloc(len * SHIELD_BYTES + 1);

	if (out == NULL)
		return NULL;
	for (to = out; at < end;) {
		if (end - at >= 2 && at[0] == '$' && at[1] == '$') {
			*to++ = *at++;
			*to++ = *at++;
		} else if ((close = reference_end(at, end)) != NULL) {
			*to++ = *at++;
			while (at <= close)
				to += shield_char(to, *at++);
		} else {
			*to++ = *at++;
		}
	}
	*to = '\0';
	*shielded_len = (size_t)(to - out);
	return out;
}

/* The character behind a shield, or '\0' for any other text. */
static char
unshield_char(const char *at)
{
	const unsigned char *u = (const unsigned char *)at;
	unsigned char c;

	if (u[0] != 0xf4 || u[1] != 0x8f || (u[2] != 0xbc && u[2] != 0xbd) ||
	    (u[3] & 0xc0) != 0x80)
		return '\0';
	c = (unsigned char)((u[3] & 0x3f) | (u[2] == 0xbd ? 0x40 : 0));
	return strchr(SHIELDED, c) != NULL ? (char)c : '\0';
}

void
config_expand_unshield(char *text)
{
	char *to = text, c;

	for (const char *at = text; *at != '\0';) {
		c = unshield_char(at);
		if (c != '\0') {
			*to++ = c;
			at += SHIELD_BYTES;
		} else {
			*to++ = *at++;
		}
	}
	*to = '\0';
}

struct expansion {
	FILE *out;
	size_t len;
	unsigned depth;
	char *why; /* of the first failure */
	bool failed;
	char unset[CONFIG_EXPAND_WHY_MAX / 2]; /* "${A}, ${B}" */
};

/* Keeps the first failure: the faulty piece of the value, then the reason. */
static void
fail(struct expansion *e, const char *at, const char *end, const char *what)
{
	int len = (int)(end - at > 60 ? 60 : end - at);

	if (!e->failed)
		snprintf(
		    e->why, CONFIG_EXPAND_WHY_MAX, "%.*s %s", len, at, what);
	e->failed = true;
}

static void
put(struct expansion *e, const char *text, size_t len)
{
	e->len += len;
	if (e->len > CONFIG_EXPAND_MAX)
		fail(e, text, text, "is longer than 64k once expanded");
	else if (!e->failed)
		fwrite(text, 1, len, e->out);
}

/* Keeps the reference for a warning: no value and no default. */
static void
note_unset(struct expansion *e, const char *at, const char *end)
{
	size_t len = strlen(e->unset);

	snprintf(e->unset + len, sizeof(e->unset) - len, "%s%.*s",
	    len != 0 ? ", " : "", (int)(end - at), at);
}

#define NO_REFERENCE                                                           \
	"is no reference; write ${NAME}, ${NAME:-default}, or $$ for a dollar"

static void expand_range(struct expansion *e, const char *at, const char *end);

/* The operator after the name: "", "-default", ":-default", "?why" or ":?why".
 * name points into the whole "${name...}". */
static void
expand_operator(struct expansion *e, const char *name, const char *value,
    const char *rest, const char *end)
{
	bool or_empty = rest < end && *rest == ':';
	bool given = value != NULL && !(or_empty && value[0] == '\0');
	const char *op = rest + (or_empty ? 1 : 0);

	if (rest < end && (op == end || (*op != '-' && *op != '?')))
		fail(e, name - 2, end + 1, NO_REFERENCE);
	else if (given)
		put(e, value, strlen(value));
	else if (rest == end)
		note_unset(e, name - 2, end + 1);
	else if (*op == '-')
		expand_range(e, op + 1, end);
	else
		fail(e, name - 2, end + 1, "needs that environment variable");
}

static void
expand_reference(struct expansion *e, const char *at, const char *end)
{
	char name[NAME_MAX_BYTES + 1];
	const char *rest = at;
	size_t len;

	while (rest < end && (isalnum((unsigned char)*rest) || *rest == '_'))
		rest++;
	len = (size_t)(rest - at);
	if (len == 0 || len > NAME_MAX_BYTES || isdigit((unsigned char)*at)) {
		fail(e, at - 2, end + 1, NO_REFERENCE);
		return;
	}
	memcpy(name, at, len);
	name[len] = '\0';
	expand_operator(e, at, getenv(name), rest, end);
}

static void
expand_range(struct expansion *e, const char *at, const char *end)
{
	const char *close;

	if (e->depth++ == DEPTH_MAX)
		fail(e, at, end, "is nested too deeply");
	while (at < end && !e->failed) {
		if (end - at >= 2 && at[0] == '$' && at[1] == '$') {
			put(e, at, 1);
			at += 2;
		} else if (end - at >= 2 && at[0] == '$' && at[1] == '{') {
			close = find_close(at + 2, end);
			if (close == NULL) {
				fail(e, at, end, "has no closing brace");
				break;
			}
			expand_reference(e, at + 2, close);
			at = close + 1;
		} else {
			put(e, at++, 1);
		}
	}
	e->depth--;
}

char *
config_expand(const char *text, char why[CONFIG_EXPAND_WHY_MAX])
{
	struct expansion e = {.why = why};
	char *out = NULL;
	size_t out_len;

	snprintf(why, CONFIG_EXPAND_WHY_MAX, "no memory");
	e.out = open_memstream(&out, &out_len);
	if (e.out == NULL)
		return NULL;
	expand_range(&e, text, text + strlen(text));
	if (fclose(e.out) != 0 || e.failed) {
		free(out);
		return NULL;
	}
	why[0] = '\0';
	if (e.unset[0] != '\0')
		snprintf(why, CONFIG_EXPAND_WHY_MAX,
		    "%s is not set and has no default; write ${NAME:-} if "
		    "that is meant",
		    e.unset);
	return out;
}
