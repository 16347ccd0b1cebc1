#include "path.h"

#include <stdbool.h>
#include <string.h>

#include "octet.h"

struct walk {
	const struct path_rules *rules;
	const char *at; /* the next byte to read */
	const char *end;
	char *start;
	char *out; /* the place of the next byte; never beyond the read bytes */
};

/* The octet of the escape at s, or -1. */
static int
octet_of(const char *s, const char *end)
{
	int high, low;

	if (end - s < 3)
		return -1;
	high = octet_hex(s[1]);
	low = octet_hex(s[2]);
	return high < 0 || low < 0 ? -1 : high << 4 | low;
}

static enum parser_error
copy_escape(struct walk *w)
{
	static const char digits[] = "0123456789ABCDEF";
	int octet = octet_of(w->at, w->end);

	if (octet < 0)
		return PARSER_PATH_ESCAPE;
	if (octet == 0)
		return PARSER_NUL;
	if (octet == '/' && w->rules->encoded_slash == PATH_SLASH_REFUSE)
		return PARSER_PATH_SLASH;
	if (octet == '\\' && w->rules->backslash == PATH_SLASH_REFUSE)
		return PARSER_PATH_BACKSLASH;
	w->at += 3;
	if (octet_is((char)octet, OCTET_UNRESERVED)) {
		*w->out++ = (char)octet;
		return w->rules->escapes == PATH_ESCAPES_REFUSE
			   ? PARSER_PATH_PLAIN
			   : PARSER_NONE;
	}
	*w->out++ = '%';
	*w->out++ = digits[octet >> 4];
	*w->out++ = digits[octet & 15];
	return PARSER_NONE;
}

/* The bytes up to the next slash. */
static enum parser_error
copy_segment(struct walk *w)
{
	enum parser_error error = PARSER_NONE;

	while (w->at < w->end && *w->at != '/' && error == PARSER_NONE) {
		if (*w->at == '%') {
			error = copy_escape(w);
			continue;
		}
		if (*w->at == '\\' && w->rules->backslash == PATH_SLASH_REFUSE)
			error = PARSER_PATH_BACKSLASH;
		*w->out++ = *w->at++;
	}
	return error;
}

/* Takes the segment at `slash`, "/..", and the segment before off the output.
 */
static enum parser_error
climb(struct walk *w, char *slash)
{
	if (slash == w->start)
		return PARSER_PATH_ROOT;
	w->out = memrchr(w->start, '/', (size_t)(slash - w->start));
	return PARSER_NONE;
}

/* A slash and the segment behind. The path's last segment leaves its slash:
 * "/a/.." is "/". */
static enum parser_error
take_segment(struct walk *w)
{
	char *slash = w->out;
	enum parser_error error;
	size_t len;
	bool is_last, is_dots;

	*w->out++ = *w->at++;
	error = copy_segment(w);
	if (error != PARSER_NONE)
		return error;
	len = (size_t)(w->out - slash) - 1;
	is_last = w->at == w->end;
	is_dots = (len == 1 && slash[1] == '.') ||
		  (len == 2 && slash[1] == '.' && slash[2] == '.');
	if (is_dots) {
		if (w->rules->dot_segments == PATH_DOTS_REFUSE)
			return PARSER_PATH_DOTS;
		w->out = slash;
		if (len == 2)
			error = climb(w, slash);
		if (is_last)
			*w->out++ = '/';
	} else if (len == 0 && !is_last) {
		if (w->rules->empty_segments == PATH_EMPTY_REFUSE)
			return PARSER_PATH_EMPTY;
		if (w->rules->empty_segments == PATH_EMPTY_MERGE)
			w->out = slash;
	}
	return error;
}

enum parser_error
path_normalise(
    const struct path_rules *rules, struct slice path, char *to, size_t *len)
{
	struct walk w = {rules, path.at, path.at + path.len, to, to};
	enum parser_error error = PARSER_NONE;

	while (w.at < w.end && error == PARSER_NONE)
		error = take_segment(&w);
	*len = (size_t)(w.out - to);
	return error;
}

bool
path_has_nul(struct slice text)
{
	const char *at = text.at, *end = text.at + text.len;

	while ((at = memchr(at, '%', (size_t)(end - at))) != NULL) {
		if (octet_of(at, end) == 0)
			return true;
		at++;
	}
	return false;
}
