#include "config_guess.h"

#include <string.h>

#define LETTERS_MAX 32
#define SLIPS_MAX 2

static unsigned
least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Slips between two names of at most LETTERS_MAX letters. */
static unsigned
distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	unsigned d[LETTERS_MAX + 1][LETTERS_MAX + 1];

	for (unsigned i = 0; i <= a_len; i++)
		d[i][0] = i;
	for (unsigned j = 0; j <= b_len; j++)
		d[0][j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		for (size_t j = 1; j <= b_len; j++) {
			d[i][j] =
			    least(d[i - 1][j - 1] + (a[i - 1] != b[j - 1]),
				least(d[i - 1][j], d[i][j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1])
				d[i][j] = least(d[i][j], d[i - 2][j - 2] + 1);
		}
	}
	return d[a_len][b_len];
}

const char *
config_guess(const struct config_key *keys, const char *name)
{
	size_t len = strlen(name), key_len;
	const char *guess = NULL;
	unsigned slips, best;

	if (len > LETTERS_MAX)
		return NULL;
	best = least(SLIPS_MAX, (unsigned)len / 3) + 1;
	for (; keys->key != NULL; keys++) {
		key_len = strlen(keys->key);
		if (key_len > LETTERS_MAX)
			continue;
		slips = distance(name, len, keys->key, key_len);
		if (slips > 0 && slips < best) {
			best = slips;
			guess = keys->key;
		}
	}
	return guess;
}
