/*
 * config_keys - which keys there are: one row each, with all that the reader
 * (config_read) and the manual (config_manual) need to know of a key.
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

/* How a value is written, and the C type that keeps the value. */
enum config_type {
	CONFIG_NUMBER,   /* unsigned */
	CONFIG_SIZE,     /* uint64_t */
	CONFIG_DURATION, /* uint64_t, in microseconds */
	CONFIG_BOOL,     /* bool */
	CONFIG_CHOICE,   /* an enum, the index in names */
	CONFIG_FORM,     /* as the form says */
	CONFIG_MAP,      /* `key: value` pairs, into the same struct */
	CONFIG_LIST,     /* of values of one form, or of pairs */
};

struct config_key {
	const char *key; /* NULL: the end of a table */
	enum config_type type;
	size_t offset;         /* of the member; of a map: 0 */
	const char *otherwise; /* the default, as written; NULL: none */
	/* Of a number or a size; entries of a list. Of a duration, min 0: 0 is
	 * allowed beside 1ms to 24h. Of a choice: the first name that may be
	 * written. */
	uint64_t min;
	uint64_t max;
	const char *help; /* Markdown; of a table: what stands above it */

	bool required;     /* the key has to be there */
	bool opt_in;       /* of a map: no defaults if the map is absent */
	const char *empty; /* the value may not be empty: what to do */
	const char *word;  /* of a number: what is written for 0 */
	const char *const *names;       /* of a choice */
	const struct config_form *form; /* of a form, or of a list's entries */
	const struct config_key *keys;  /* of a map, or of a list's maps */
	/* Of a list: an entry's size, and where their count is kept. A size of
	 * 0: all entries go to the one member, which adds them up. */
	size_t entry_size;
	size_t count_offset;
	bool unique; /* entries begin with a char *, and no two are the same */
};

#define CONFIG_KEYS_MAX 32 /* of one table */

extern const struct config_key config_keys[];

#endif
