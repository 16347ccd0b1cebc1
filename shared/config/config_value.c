#include "config_value.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config_expand.h"
#include "text.h"

#define DURATION_MAX_US (UINT64_C(24) * 3600 * 1000000)
#define DURATION_MIN_US UINT64_C(1000)

#define NAME_CHARS                                                             \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"
#define TOKEN_CHARS NAME_CHARS "!#$%&'*+^`|~"

size_t
config_value_enter(struct config_value *v, const char *key)
{
	size_t len = strlen(v->path);

	snprintf(v->path + len, sizeof(v->path) - len, "%s%s",
	    len == 0 || key[0] == '[' || key[0] == '\0' ? "" : ".", key);
	return len;
}

size_t
config_value_enter_item(struct config_value *v, const char *key, size_t index)
{
	size_t mark = config_value_enter(v, key), len = strlen(v->path);

	snprintf(v->path + len, sizeof(v->path) - len, "[%zu]", index);
	return mark;
}

void
config_value_leave(struct config_value *v, size_t mark)
{
	v->path[mark] = '\0';
}

void
config_value_fail(struct config_value *v, const char *key, const char *fmt, ...)
{
	char what[CONFIG_ERROR_MAX];
	size_t mark;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	mark = config_value_enter(v, key);
	config_where_fail(v->where, 0, v->path, "%s", what);
	config_value_leave(v, mark);
}

char *
config_value_text(struct config_value *v, const char *key, const char *raw,
    const char *otherwise)
{
	char why[CONFIG_EXPAND_WHY_MAX], *text = NULL;

	if (raw != NULL) {
		text = config_expand(raw, why);
		if (text == NULL)
			config_value_fail(v, key, "%s", why);
		else if (text[0] != '\0')
			return text;
	}
	free(text);
	if (otherwise == NULL)
		return NULL;
	text = strdup(otherwise);
	if (text == NULL)
		config_value_fail(v, key, "no memory");
	return text;
}

char *
config_value_required(struct config_value *v, const char *key, const char *raw)
{
	char *text = config_value_text(v, key, raw, NULL);

	if (text == NULL)
		config_value_fail(v, key, "is empty; a value is required");
	return text;
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

void
config_value_lower(char *text)
{
	for (; *text != '\0'; text++)
		if (*text >= 'A' && *text <= 'Z')
			*text += 'a' - 'A';
}

char *
config_value_name(struct config_value *v, const char *key, const char *raw,
    const char *otherwise)
{
	char *text = config_value_text(v, key, raw, otherwise);

	if (text != NULL && !config_value_is_name(text))
		config_value_fail(v, key,
		    "`%.64s` is not a name; 1 to %d of A-Z a-z 0-9 . _ -", text,
		    CONFIG_NAME_MAX);
	return text;
}

/* Digits at *at, which moves past them; false when there are none or they
 * stand for more than 12 digits can. */
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

static bool
read_duration(const char *text, uint64_t *us)
{
	static const struct {
		const char *name;
		uint64_t us;
	} units[] = {{"ms", 1000}, {"s", 1000000},
	    {"m", 60 * UINT64_C(1000000)}, {"h", 3600 * UINT64_C(1000000)}};
	uint64_t n;

	if (!read_digits(&text, &n))
		return false;
	*us = 0;
	if (n == 0 && *text == '\0')
		return true;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(text, units[i].name) != 0)
			continue;
		*us = n > DURATION_MAX_US / units[i].us ? UINT64_MAX
							: n * units[i].us;
		return true;
	}
	return false;
}

static uint64_t
duration(struct config_value *v, const char *key, char *text, bool or_zero)
{
	uint64_t us = 0;

	if (text == NULL)
		return 0;
	if (!read_duration(text, &us))
		config_value_fail(v, key,
		    "`%.60s` is not a duration; write 250ms, 10s, 5m or 1h",
		    text);
	else if (us > DURATION_MAX_US ||
		 (us < DURATION_MIN_US && !(us == 0 && or_zero)))
		config_value_fail(v, key, "`%.60s` is not from 1ms to 24h%s",
		    text, or_zero ? ", or 0" : "");
	free(text);
	return us;
}

uint64_t
config_value_duration(struct config_value *v, const char *key, const char *raw,
    const char *otherwise)
{
	return duration(
	    v, key, config_value_text(v, key, raw, otherwise), false);
}

uint64_t
config_value_duration_or_zero(struct config_value *v, const char *key,
    const char *raw, const char *otherwise)
{
	return duration(
	    v, key, config_value_text(v, key, raw, otherwise), true);
}

unsigned
config_value_number(struct config_value *v, const char *key, const char *raw,
    struct config_value_range range)
{
	char *text = config_value_text(v, key, raw, range.otherwise);
	const char *at = text;
	uint64_t n = 0;

	if (text != NULL && (!read_digits(&at, &n) || *at != '\0' ||
				n < range.min || n > range.max))
		config_value_fail(v, key,
		    "`%.60s` is not a whole number from %" PRIu64
		    " to %" PRIu64,
		    text, range.min, range.max);
	free(text);
	return (unsigned)n;
}

/* "16k" where that is exact, else the plain number. */
static const char *
size_str(uint64_t bytes, char buf[24])
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

uint64_t
config_value_size(struct config_value *v, const char *key, const char *raw,
    struct config_value_range range)
{
	static const char units[] = "kmg";
	char *text = config_value_text(v, key, raw, range.otherwise);
	char min[24], max[24];
	const char *at = text, *unit;
	uint64_t n = 0;
	long shift;
	bool good;

	if (text == NULL)
		return 0;
	good = read_digits(&at, &n);
	if (good && *at != '\0' && (unit = strchr(units, *at)) != NULL) {
		shift = 10 * (unit - units + 1);
		n = n > range.max >> shift ? UINT64_MAX : n << shift;
		at++;
	}
	if (!good || *at != '\0')
		config_value_fail(v, key,
		    "`%.60s` is not a size; write 512, 16k, 16m or 1g", text);
	else if (n < range.min || n > range.max)
		config_value_fail(v, key, "`%.60s` is not from %s to %s", text,
		    size_str(range.min, min), size_str(range.max, max));
	free(text);
	return n;
}

bool
config_value_bool(
    struct config_value *v, const char *key, const char *raw, bool otherwise)
{
	static const char *const names[] = {
	    "false", "no", "off", "true", "yes", "on"};
	int i = config_value_choice(v, key, raw,
	    (struct config_value_choice){names, 6, otherwise ? 3 : 0});

	return i >= 3;
}

int
config_value_choice(struct config_value *v, const char *key, const char *raw,
    struct config_value_choice choice)
{
	char *text = config_value_text(v, key, raw, NULL);
	char known[CONFIG_ERROR_MAX / 2];
	struct text t;

	if (text == NULL)
		return choice.otherwise;
	for (int i = 0; i < choice.count; i++) {
		if (strcmp(text, choice.names[i]) == 0) {
			free(text);
			return i;
		}
	}
	text_init(&t, known, sizeof(known) - 1);
	for (int i = 0; i < choice.count; i++)
		text_addf(&t, "%s%s", i == 0 ? "" : ", ", choice.names[i]);
	known[t.len] = '\0';
	config_value_fail(v, key, "`%.60s` is not one of %s", text, known);
	free(text);
	return choice.otherwise;
}
