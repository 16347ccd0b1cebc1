/*
 * octet - the classes of bytes in HTTP (RFC 9110 sections 5.5 and 5.6).
 *
 * Both processes. Pure; knows nothing of locales.
 */
#ifndef OCTET_H
#define OCTET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum octet_class {
	OCTET_TOKEN = 1,  /* tchar */
	OCTET_TEXT = 2,   /* HTAB, SP, VCHAR, obs-text: no control character */
	OCTET_TARGET = 4, /* in a request's target: VCHAR but `#` */
	OCTET_HOST = 8,   /* in a reg-name (RFC 3986), but no comma */
	OCTET_DIGIT = 16,
	/* In a target, and changed by no step of path.h: OCTET_TARGET but dot,
	 * slash, backslash, `%` and `?`. */
	OCTET_SEGMENT = 32,
	OCTET_UNRESERVED = 64, /* RFC 3986 section 2.3 */
};

extern const uint8_t octet_classes[256];

/* Eight times the same byte, for work on eight at once. */
#define OCTET_EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

static inline bool
octet_is(char c, enum octet_class class)
{
	return (octet_classes[(uint8_t)c] & class) != 0;
}

static inline bool
octet_is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* The first byte in [at, end) outside the class, or end. */
static inline const char *
octet_skip(const char *at, const char *end, enum octet_class class)
{
	while (at < end && octet_is(*at, class))
		at++;
	return at;
}

/* The same for OCTET_TEXT, eight bytes at a time. */
const char *octet_skip_text(const char *at, const char *end);

/* The value of a hexadecimal digit, else -1. */
int octet_hex(char c);
/* Whether [at, at + len) is lower, but for the case of ASCII's letters; lower
 * has none in upper case. */
bool octet_same(const char *at, const char *lower, size_t len);
/* The same, but `_` also stands for each `-` of lower: CGI (RFC 3875 section
 * 4.1.18) and its heirs give both names the same variable. */
bool octet_same_variable(const char *at, const char *lower, size_t len);

#endif
