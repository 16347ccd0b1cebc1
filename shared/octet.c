#include "octet.h"

#include <string.h>

#define S OCTET_TEXT                                   /* HTAB and SP */
#define V (OCTET_TEXT | OCTET_TARGET)                  /* VCHAR, no more */
#define H (OCTET_TEXT | OCTET_TOKEN)                   /* the number sign */
#define T (OCTET_TEXT | OCTET_TARGET | OCTET_TOKEN)    /* in no host */
#define R (OCTET_TEXT | OCTET_TARGET | OCTET_REG_NAME) /* in no token */
#define M (T | R)                                      /* in both */
#define D (T | R | OCTET_DIGIT)
#define O OCTET_TEXT /* obs-text */

/* Sixteen to a row, as in every table of ASCII. */
/* clang-format off */
const uint8_t octet_classes[256] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, S, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    S, M, V, H, M, T, M, M, R, R, M, M, R, M, M, V, /*  !"#$%&'()*+,-./ */
    D, D, D, D, D, D, D, D, D, D, V, R, V, R, V, V, /* 0123456789:;<=>? */
    V, M, M, M, M, M, M, M, M, M, M, M, M, M, M, M, /* @ABCDEFGHIJKLMNO */
    M, M, M, M, M, M, M, M, M, M, M, V, V, V, T, M, /* PQRSTUVWXYZ[\]^_ */
    T, M, M, M, M, M, M, M, M, M, M, M, M, M, M, M, /* `abcdefghijklmno */
    M, M, M, M, M, M, M, M, M, M, M, V, T, V, M, 0, /* pqrstuvwxyz{|}~  */
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

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

/* Whether any of eight bytes is below 0x20 or 0x7f. */
static bool
has_control(uint64_t eight)
{
	uint64_t del = eight ^ EACH(0x7f);
	uint64_t below = (eight - EACH(0x20)) & ~eight;

	return ((below | ((del - EACH(1)) & ~del)) & EACH(0x80)) != 0;
}

const char *
octet_skip_text(const char *at, const char *end)
{
	const char *stop;
	uint64_t eight;

	for (; end - at >= 8; at += 8) {
		memcpy(&eight, at, 8);
		if (!has_control(eight))
			continue;
		stop = octet_skip(at, at + 8, OCTET_TEXT);
		/* HTAB alone is no reason. */
		if (stop < at + 8)
			return stop;
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

bool
octet_same(const char *at, const char *lower, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		char c = at[i];

		if (c >= 'A' && c <= 'Z')
			c |= 0x20;
		if (c != lower[i])
			return false;
	}
	return true;
}
