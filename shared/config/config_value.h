/*
 * config_value - an expanded text as a number, size, duration, boolean or
 * choice. Pure.
 *
 * A function returns false with the reason in why, to be put behind "KEY: ",
 * and leaves the result alone. Kept text belongs to the caller.
 */
#ifndef CONFIG_VALUE_H
#define CONFIG_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONFIG_WHY_MAX 400

#define CONFIG_MS UINT64_C(1000) /* in microseconds */
#define CONFIG_DAY (UINT64_C(24) * 3600 * 1000 * CONFIG_MS)

/* Fills why; always false. */
__attribute__((format(printf, 2, 3))) bool config_value_wrong(
    char why[CONFIG_WHY_MAX], const char *fmt, ...);

struct config_value_range {
	uint64_t min;
	uint64_t max;
	const char *word; /* NULL, or the word for 0 */
};

/* A whole number. */
bool config_value_number(const char *text,
    const struct config_value_range *range, unsigned *n,
    char why[CONFIG_WHY_MAX]);
/* 512, 16k, 16m, 1g (powers of 1024), in bytes. */
bool config_value_size(const char *text, const struct config_value_range *range,
    uint64_t *bytes, char why[CONFIG_WHY_MAX]);
/* 250ms, 10s, 5m, 1h, up to 24h, in microseconds; 0 too if or_zero. */
bool config_value_duration(
    const char *text, bool or_zero, uint64_t *us, char why[CONFIG_WHY_MAX]);
/* true, yes, on, false, no, off. */
bool config_value_bool(const char *text, bool *b, char why[CONFIG_WHY_MAX]);
/* The index of a name. names end with NULL; names before `first` are not
 * allowed. */
bool config_value_choice(const char *text, const char *const *names,
    unsigned first, unsigned *i, char why[CONFIG_WHY_MAX]);

/* Replaces *to by a copy. */
bool config_value_copy(const char *text, char **to, char why[CONFIG_WHY_MAX]);
/* [A-Za-z0-9._-]+, at most CONFIG_NAME_MAX. */
bool config_value_is_name(const char *text);
/* A token of RFC 9110 section 5.6.2, as names of headers and cookies are. */
bool config_value_is_token(const char *text);
/* A field value of RFC 9110 section 5.5; surrounding blanks are not looked at.
 */
bool config_value_is_field_value(const char *text);
/* In place; ASCII letters only. */
void config_value_lower(char *text);
/* "16k" if exact, else the plain number; returns buf. */
const char *config_value_size_str(uint64_t bytes, char buf[24]);

#endif
