#include "text.h"

#include <stdarg.h>
#include <stdio.h>

void
text_init(struct text *t, char *data, size_t cap)
{
	t->data = data;
	t->len = 0;
	t->cap = cap;
	t->full = false;
}

void
text_add_uint(struct text *t, uint64_t n)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + n % 10);
		n /= 10;
	} while (n != 0);
	text_add(t, digits + at, sizeof(digits) - at);
}

void
text_add_hex(struct text *t, uint64_t n)
{
	char digits[16];
	size_t at = sizeof(digits);

	do {
		digits[--at] = "0123456789abcdef"[n % 16];
		n /= 16;
	} while (n != 0);
	text_add(t, digits + at, sizeof(digits) - at);
}

void
text_addf(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int len;

	if (t->full)
		return;
	va_start(ap, fmt);
	len = vsnprintf(t->data + t->len, t->cap - t->len, fmt, ap);
	va_end(ap);
	if (len < 0 || (size_t)len >= t->cap - t->len)
		t->full = true;
	else
		t->len += (size_t)len;
}
