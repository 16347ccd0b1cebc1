#include "fragment.h"

#include <string.h>

/* The longest beginning of the text that ends in (its first n bytes and c). The
 * search of Knuth, Morris and Pratt without a table: texts are short. */
static size_t
step(const char *text, size_t n, char c)
{
	for (size_t k = n; k > 0; k--)
		if (text[k] == c && memcmp(text, text + n - k, k) == 0)
			return k + 1;
	return text[0] == c ? 1 : 0;
}

bool
fragment_find(struct fragment *f, const char *data, size_t len)
{
	size_t whole = strlen(f->text);

	for (size_t i = 0; i < len; i++) {
		f->matched = step(f->text, f->matched, data[i]);
		if (f->matched == whole)
			return true;
	}
	return false;
}
