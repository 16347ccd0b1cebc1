#include "config_value.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "text.h"

#define NAME_CHARS                                                             \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"
#define TOKEN_CHARS NAME_CHARS "!#$%&'*+^`|~"

bool
config_value_wrong(char why[CONFIG_WHY_MAX], const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, CONFIG_WHY_MAX, fmt, ap);
	va_end(ap);
	return false;
}

/* Reads digits and moves *at past the digits. False without digits, or with
 * more than 12. */
static bool
read_digits(const char **at, uint64_t *n)
{
	size_t len = strspn(*at, "0123456789");

	*n = 0;
	for (size_t i = 0; i < len && i < 12; i++)
		*n = *n * 10 + (uint64_t)((*at)[i] - '0');
	*at += len;
	return len > 0 && len <= 12;
}

bool
config_value_number(const char *text, const struct config_value_range *range,
    unsigned *n, char why[CONFIG_WHY_MAX])
{
	bool has_word = range->word != NULL;
	bool is_word = has_word && strcmp(text, range->word) == 0;
	const char *at = text;
	uint64_t number = 0;

	if (!is_word && (!read_digits(&at, &number) || *at != '\0' ||
			    number < range->min || number > range->max))
		return config_value_wrong(why,
		    "`%.60s` is not a whole number from %" PRIu64 " to %" PRIu64
		    "%s%s",
		    text, range->min, range->max, has_word ? ", or " : "",
		    has_word ? range->word : "");
	*n = (unsigned)number;
	return true;
}

const char *
config_value_size_str(uint64_t bytes, char buf[24])
{
	const char *units[] = {"", "k", "m", "g"};
	size_t unit = 0;

	while (unit < 3 && bytes != 0 && bytes % 1024 == 0) {
		bytes /= 1024;
		unit++;
	}
	snprintf(buf, 24, "%" PRIu64 "%s", bytes, units[unit]);
	return buf;
}

bool
config_value_size(const char *text, const struct config_value_range *range,
    uint64_t *bytes, char why[CONFIG_WHY_MAX])
{
	static const char units[] = "kmg";
	char min[24], max[24];
	const char *at = text, *unit;
	uint64_t n;
	bool good = read_digits(&at, &n);
	long shift;

	if (good && *at != '\0' && (unit = strchr(units, *at)) != NULL) {
		shift = 10 * (unit - units + 1);
		n = n > range->max >> shift ? UINT64_MAX : n << shift;
		at++;
	}
	if (!good || *at != '\0')
		return config_value_wrong(why,
		    "`%.60s` is not a size; write 512, 16k, 16m or 1g", text);
	if (n < range->min || n > range->max)
		return config_value_wrong(why, "`%.60s` is not from %s to %s",
		    text, config_value_size_str(range->min, min),
		    config_value_size_str(range->max, max));
	*bytes = n;
	return true;
}

static bool
read_duration(const char *text, uint64_t *us)
{
	static const struct {
		const char *name;
		uint64_t us;
	} units[] = {{"ms", CONFIG_MS}, {"s", CONFIG_MS * 1000},
	    {"m", CONFIG_MS * 1000 * 60}, {"h", CONFIG_MS * 1000 * 3600}};
	uint64_t n;

	*us = 0;
	if (!read_digits(&text, &n))
		return false;
	if (n == 0 && *text == '\0')
		return true;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(text, units[i].name) != 0)
			continue;
		*us =
		    n > CONFIG_DAY / units[i].us ? UINT64_MAX : n * units[i].us;
		return true;
	}
	return false;
}

bool
config_value_duration(
    const char *text, bool or_zero, uint64_t *us, char why[CONFIG_WHY_MAX])
{
	uint64_t n;

	if (!read_duration(text, &n))
		return config_value_wrong(why,
		    "`%.60s` is not a duration; write 250ms, 10s, 5m or 1h",
		    text);
	if ((n < CONFIG_MS && !(n == 0 && or_zero)) || n > CONFIG_DAY)
		return config_value_wrong(why,
		    "`%.60s` is not from 1ms to 24h%s", text,
		    or_zero ? ", or 0" : "");
	*us = n;
	return true;
}

bool
config_value_choice(const char *text, const char *const *names, unsigned first,
    unsigned *i, char why[CONFIG_WHY_MAX])
{
	char known[CONFIG_WHY_MAX / 2];
	struct text t;

	for (unsigned j = first; names[j] != NULL; j++) {
		if (strcmp(text, names[j]) == 0) {
			*i = j;
			return true;
		}
	}
	text_init(&t, known, sizeof(known) - 1);
	for (unsigned j = first; names[j] != NULL; j++)
		text_addf(&t, "%s%s", j == first ? "" : ", ", names[j]);
	known[t.len] = '\0';
	return config_value_wrong(why, "`%.60s` is not one of %s", text, known);
}

bool
config_value_bool(const char *text, bool *b, char why[CONFIG_WHY_MAX])
{
	static const char *const names[] = {
	    "false", "no", "off", "true", "yes", "on", NULL};
	unsigned i;

	if (!config_value_choice(text, names, 0, &i, why))
		return false;
	*b = i >= 3;
	return true;
}

bool
config_value_copy(const char *text, char **to, char why[CONFIG_WHY_MAX])
{
	free(*to);
	*to = strdup(text);
	return *to != NULL || config_value_wrong(why, "no memory");
}

bool
config_value_is_name(const char *text)
{
	size_t len = strspn(text, NAME_CHARS);

	return len != 0 && len <= CONFIG_NAME_MAX && text[len] == '\0';
}

bool
config_value_is_token(const char *text)
{
	return text[0] != '\0' && text[strspn(text, TOKEN_CHARS)] == '\0';
}

bool
config_value_is_field_value(const char *text)
{
	for (; *text != '\0'; text++)
		if (((unsigned char)*text < ' ' && *text != '\t') ||
		    *text == 0x7f)
			return false;
	return true;
}

void
config_value_lower(char *text)
{
	for (; *text != '\0'; text++)
		if (*text >= 'A' && *text <= 'Z')
			*text += 'a' - 'A';
}
