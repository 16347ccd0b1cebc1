/*
 * config_keys - the table of keys: a row per key, for the reader (config_read)
 * and the manual (config_manual).
 *
 * To add a key: a member in config.h, a row in config_keys.c, a test; then
 * `drover -K >conf/README.md`. A condition between keys is a rule
 * (config_rules).
 */
#ifndef CONFIG_KEYS_H
#define CONFIG_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config_form.h"

/* The syntax of a value, and the C type of the member. */
enum config_type {
	CONFIG_NUMBER,   /* unsigned */
	CONFIG_SIZE,     /* uint64_t */
	CONFIG_DURATION, /* uint64_t, in microseconds */
	CONFIG_BOOL,     /* bool */
	CONFIG_CHOICE,   /* an enum, the index in names */
	CONFIG_FORM,     /* as the form says */
	CONFIG_MAP,      /* `key: value` pairs, into the same struct */
	CONFIG_LIST,     /* of values of a form, or of pairs */
};

struct config_key {
	const char *key; /* NULL: the end of a table */
	enum config_type type;
	size_t offset;         /* of the member; of a map: 0 */
	const char *otherwise; /* the default, as written; NULL: none */
	/* Bounds of a number or a size, or the count of a list's entries. A
	 * duration is 1ms to 24h, and may be 0 if min is 0. Of a choice, min is
	 * the first allowed name. */
	uint64_t min;
	uint64_t max;
	const char *help; /* Markdown; of a table: the text above the table */

	bool required;     /* the key may not be absent */
	bool opt_in;       /* of a map: no defaults if the map is absent */
	const char *empty; /* the value may not be empty; the advice to give */
	const char *word;  /* of a number: the word for 0 */
	const char *const *names;       /* of a choice */
	const struct config_form *form; /* of a form, or of a list's entries */
	const struct config_key *keys;  /* of a map, or of a list's maps */
	/* Of a list: the size of an entry, and the offset of the count. Size 0:
	 * all entries go to the same member, which adds up. */
	size_t entry_size;
	size_t count_offset;
	bool unique; /* entries begin with a char *, and no two are the same */
};

#define CONFIG_KEYS_MAX 32 /* rows per table */

extern const struct config_key config_keys[];

#endif
