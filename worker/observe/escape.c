#include "escape.h"

#include <string.h>

/* The length of the character at s; 0: none. The Unicode Standard, table 3-7,
 * and no control character. */
static size_t
utf8_len(const unsigned char *s)
{
	unsigned char low = 0x80, high = 0xbf;
	size_t len = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;

	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 0;
	if (s[0] == 0xc2 || s[0] == 0xe0)
		low = 0xa0;
	else if (s[0] == 0xed)
		high = 0x9f;
	else if (s[0] == 0xf0)
		low = 0x90;
	else if (s[0] == 0xf4)
		high = 0x8f;
	for (size_t i = 1; i < len; i++) {
		if (s[i] < low || s[i] > high)
			return 0;
		low = 0x80;
		high = 0xbf;
	}
	return len;
}

static void
escape_byte(struct escape *e, const char *prefix, unsigned char c)
{
	static const char digits[] = "0123456789abcdef";

	e->len = strlen(prefix);
	memcpy(e->text, prefix, e->len);
	e->text[e->len++] = digits[c >> 4];
	e->text[e->len++] = digits[c & 15];
}

struct escape
escape_of(const unsigned char *s, bool json)
{
	struct escape e = {.from_len = 1};
	size_t len;

	if (escape_is_plain(*s)) {
		e.len = 1;
		e.text[0] = (char)*s;
	} else if (!json) {
		escape_byte(&e, "\\x", *s);
	} else if (*s < 0x80) {
		escape_byte(&e, "\\u00", *s);
	} else if ((len = utf8_len(s)) > 0) {
		e.from_len = e.len = len;
		memcpy(e.text, s, len);
	} else {
		e.len = 6;
		memcpy(e.text, "\\ufffd", 6);
	}
	return e;
}
