#include "octet.h"

#include <endian.h>
#include <string.h>

#define S OCTET_TEXT                  /* HTAB and SP */
#define Q (OCTET_TEXT | OCTET_TARGET) /* slash, question mark, backslash */
#define H (OCTET_TEXT | OCTET_TOKEN)  /* the number sign */
#define P (Q | OCTET_TOKEN)           /* the percent sign */
#define V (Q | OCTET_SEGMENT)         /* VCHAR, no more */
#define T (V | OCTET_TOKEN)           /* in no host */
#define R (V | OCTET_HOST)            /* in no token */
#define M (T | R)                     /* T and R */
#define U (M | OCTET_UNRESERVED)
#define N (P | OCTET_HOST | OCTET_UNRESERVED) /* the dot */
#define D (U | OCTET_DIGIT)
#define O OCTET_TEXT /* obs-text */

/* Sixteen to a row, as in every table of ASCII. */
/* clang-format off */
const uint8_t octet_classes[256] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, S, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    S, M, V, H, M, P, M, M, R, R, M, M, V, U, N, Q, /*  !"#$%&'()*+,-./ */
    D, D, D, D, D, D, D, D, D, D, V, R, V, R, V, Q, /* 0123456789:;<=>? */
    V, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, /* @ABCDEFGHIJKLMNO */
    U, U, U, U, U, U, U, U, U, U, U, V, Q, V, T, U, /* PQRSTUVWXYZ[\]^_ */
    T, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, /* `abcdefghijklmno */
    U, U, U, U, U, U, U, U, U, U, U, V, T, V, U, 0, /* pqrstuvwxyz{|}~  */
    O, O, O, O, O, O, O, O, O, O, O, O, O, O, O, O,
    O, O, O, O, O, O, O, O, O, O, O, O, O, O, O, O,
    O, O, O, O, O, O, O, O, O, O, O, O, O, O, O, O,
    O, O, O, O, O, O, O, O, O, O, O, O, O, O, O, O,
    O, O, O, O, O, O, O, O, O, O, O, O, O, O, O, O,
    O, O, O, O, O, O, O, O, O, O, O, O, O, O, O, O,
    O, O, O, O, O, O, O, O, O, O, O, O, O, O, O, O,
    O, O, O, O, O, O, O, O, O, O, O, O, O, O, O, O,
};
/* clang-format on */

/* Sets the high bit of each of eight bytes below 0x20 or equal to 0x7f. Bits
 * above the lowest set bit may be wrong. */
static uint64_t
controls(uint64_t eight)
{
	uint64_t del = eight ^ OCTET_EACH(0x7f);
	uint64_t below = (eight - OCTET_EACH(0x20)) & ~eight;

	return (below | ((del - OCTET_EACH(1)) & ~del)) & OCTET_EACH(0x80);
}

const char *
octet_skip_text(const char *at, const char *end)
{
	uint64_t eight, found;

	while (end - at >= 8) {
		memcpy(&eight, at, 8);
		eight = le64toh(eight);
		found = controls(eight);
		if (found == 0) {
			at += 8;
			continue;
		}
		at += __builtin_ctzll(found) / 8;
		if (*at != '\t')
			return at;
		at++;
	}
	return octet_skip(at, end, OCTET_TEXT);
}

int
octet_hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

/* Eight bytes with ASCII's letters in lower case. */
static uint64_t
lower_eight(const char *at)
{
	uint64_t x, low, from_a, past_z;

	memcpy(&x, at, sizeof(x));
	low = x & OCTET_EACH(0x7f);
	from_a = low + OCTET_EACH(0x80 - 'A');
	past_z = low + OCTET_EACH(0x7f - 'Z');
	return x | ((from_a ^ past_z) & ~x & OCTET_EACH(0x80)) >> 2;
}

static bool
same_eight(const char *at, const char *lower)
{
	uint64_t wanted;

	memcpy(&wanted, lower, sizeof(wanted));
	return lower_eight(at) == wanted;
}

bool
octet_same(const char *at, const char *lower, size_t len)
{
	if (len >= 8) {
		for (size_t i = 0; i + 8 < len; i += 8)
			if (!same_eight(at + i, lower + i))
				return false;
		return same_eight(at + len - 8, lower + len - 8);
	}
	for (size_t i = 0; i < len; i++) {
		char c = at[i];

		if (c >= 'A' && c <= 'Z')
			c |= 0x20;
		if (c != lower[i])
			return false;
	}
	return true;
}

bool
octet_same_variable(const char *at, const char *lower, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!octet_same(at + i, lower + i, 1) &&
		    (lower[i] != '-' || at[i] != '_'))
			return false;
	return true;
}
