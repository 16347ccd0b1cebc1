/*
 * config_value - one value of the file: expanded, read as what it should be,
 * checked, or reported with its key. Start-up only.
 *
 * The default is given as it would be written in the file, and takes the
 * value's place where that is absent or empty once expanded; a variable that
 * is set to nothing is the same as none. After a failure (see config_where)
 * the results are dummies and must not be used.
 *
 * Text that is returned belongs to the caller.
 */
#ifndef CONFIG_VALUE_H
#define CONFIG_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config_where.h"

/* A file and the key path that one is reading below. */
struct config_value {
	struct config_where *where;
	char path[CONFIG_WHERE_PATH_MAX];
};

/* Goes down to a key or to a list's entry; returns what leave() takes. */
size_t config_value_enter(struct config_value *v, const char *key);
size_t config_value_enter_item(
    struct config_value *v, const char *key, size_t index);
void config_value_leave(struct config_value *v, size_t mark);

/* Records a failure of the key below the present path. */
__attribute__((format(printf, 3, 4))) void config_value_fail(
    struct config_value *v, const char *key, const char *fmt, ...);

/* The expanded text; otherwise may be NULL, and so may then be the result. */
char *config_value_text(struct config_value *v, const char *key,
    const char *raw, const char *otherwise);
/* The same, of which there must be some. */
char *config_value_required(
    struct config_value *v, const char *key, const char *raw);
/* Text of [A-Za-z0-9._-]+, at most CONFIG_NAME_MAX. */
char *config_value_name(struct config_value *v, const char *key,
    const char *raw, const char *otherwise);
/* Whether text is such a name. */
bool config_value_is_name(const char *text);
/* A token of RFC 9110 section 5.6.2, as names of headers and cookies are. */
bool config_value_is_token(const char *text);
/* In place; ASCII letters only. */
void config_value_lower(char *text);

/* 250ms, 10s, 5m, 1h; at most 24h; in microseconds. At least 1ms, or 0 too. */
uint64_t config_value_duration(struct config_value *v, const char *key,
    const char *raw, const char *otherwise);
uint64_t config_value_duration_or_zero(struct config_value *v, const char *key,
    const char *raw, const char *otherwise);

struct config_value_range {
	const char *otherwise;
	uint64_t min;
	uint64_t max;
};

/* A whole number. */
unsigned config_value_number(struct config_value *v, const char *key,
    const char *raw, struct config_value_range range);
/* 512, 16k, 16m, 1g (powers of 1024), in bytes. */
uint64_t config_value_size(struct config_value *v, const char *key,
    const char *raw, struct config_value_range range);
/* true, yes, on, false, no, off. */
bool config_value_bool(
    struct config_value *v, const char *key, const char *raw, bool otherwise);

struct config_value_choice {
	const char *const *names;
	int count;
	int otherwise;
};

/* The index of one of several names. */
int config_value_choice(struct config_value *v, const char *key,
    const char *raw, struct config_value_choice choice);

#endif
