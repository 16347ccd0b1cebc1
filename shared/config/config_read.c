#include "config_read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "config_expand.h"
#include "config_guess.h"
#include "text.h"

struct reader {
	struct config_report *report;
	char path[CONFIG_PATH_MAX]; /* of the key in hand */
};

#define FAULT(r, line, ...)                                                    \
	config_report_fault((r)->report, line, (r)->path, __VA_ARGS__)

static void read_value(struct reader *r, const struct config_key *key,
    struct config_yaml *node, char *base, unsigned line);

/* Appends to the path. Returns the former length, for leave(). */
static size_t
enter(struct reader *r, const char *key)
{
	size_t len = strlen(r->path);

	snprintf(r->path + len, sizeof(r->path) - len, "%s%.64s",
	    len == 0 ? "" : ".", key);
	return len;
}

static size_t
enter_entry(struct reader *r, size_t index)
{
	size_t len = strlen(r->path);

	snprintf(r->path + len, sizeof(r->path) - len, "[%zu]", index);
	return len;
}

static void
leave(struct reader *r, size_t len)
{
	r->path[len] = '\0';
}

/* ---- single values ---- */

/* Fills the member of the row. gcc and clang store an enum without negative
 * values as an unsigned. */
static bool
convert(const struct config_key *key, const char *text, void *member,
    char why[CONFIG_WHY_MAX])
{
	const struct config_value_range range = {key->min, key->max, key->word};

	switch (key->type) {
	case CONFIG_NUMBER:
		return config_value_number(text, &range, member, why);
	case CONFIG_SIZE:
		return config_value_size(text, &range, member, why);
	case CONFIG_DURATION:
		return config_value_duration(text, key->min == 0, member, why);
	case CONFIG_BOOL:
		return config_value_bool(text, member, why);
	case CONFIG_CHOICE:
		return config_value_choice(
		    text, key->names, (unsigned)key->min, member, why);
	default:
		return config_form_parse(key->form, text, member, why);
	}
}

static void
set_default(
    struct reader *r, const struct config_key *key, char *member, unsigned line)
{
	char why[CONFIG_WHY_MAX];

	if (key->otherwise != NULL &&
	    !convert(key, key->otherwise, member, why))
		FAULT(r, line, "%s", why);
}

static const char *
kind_of(const struct config_yaml *node)
{
	switch (node->kind) {
	case CONFIG_YAML_LIST:
		return "a list";
	case CONFIG_YAML_MAP:
		return "`key: value` pairs";
	default:
		return config_yaml_is_null(node) ? "empty" : "a single value";
	}
}

/* Expands the node's text in place. NULL after a fault. */
static const char *
read_text(struct reader *r, struct config_yaml *node, unsigned line)
{
	char why[CONFIG_EXPAND_WHY_MAX], *text;

	if (node->kind != CONFIG_YAML_SCALAR) {
		FAULT(r, line, "must be a single value, but is %s",
		    kind_of(node));
		return NULL;
	}
	if (strlen(node->text) != node->len) {
		FAULT(r, line, "has a NUL character in it");
		return NULL;
	}
	if (config_yaml_is_null(node))
		return "";
	text = config_expand(node->text, why);
	if (text == NULL) {
		FAULT(r, line, "%s", why);
		return NULL;
	}
	if (why[0] != '\0')
		config_report_warn(r->report, line, r->path, "%s", why);
	free(node->text);
	node->text = text;
	node->len = strlen(text);
	node->plain = false; /* a variable's value is never a null */
	return text;
}

static void
read_single(struct reader *r, const struct config_key *key,
    struct config_yaml *node, char *member, unsigned line)
{
	const char *text = read_text(r, node, line);
	char why[CONFIG_WHY_MAX];

	if (text == NULL)
		return;
	if (text[0] != '\0') {
		if (!convert(key, text, member, why))
			FAULT(r, line, "%s", why);
	} else if (key->empty != NULL) {
		FAULT(r, line, "is empty; %s", key->empty);
	} else {
		set_default(r, key, member, line);
	}
}

/* ---- lists ---- */

/* The row for an entry of the list. */
static struct config_key
entry_of(const struct config_key *list)
{
	struct config_key entry = {.key = list->key};

	entry.type = list->form != NULL ? CONFIG_FORM : CONFIG_MAP;
	entry.form = list->form;
	entry.keys = list->keys;
	entry.required = true;
	entry.empty = "a value is required";
	return entry;
}

/* Whether an earlier entry has the same name. */
static bool
is_twice(const char *array, size_t count, size_t size)
{
	const char *name, *other;

	memcpy(&name, array + count * size, sizeof(name));
	for (size_t i = 0; i < count && name != NULL; i++) {
		memcpy(&other, array + i * size, sizeof(other));
		if (other != NULL && strcmp(name, other) == 0)
			return true;
	}
	return false;
}

static void
read_entries(struct reader *r, const struct config_key *key,
    struct config_yaml *node, char *base)
{
	const struct config_key entry = entry_of(key);
	char *array = base + key->offset;
	struct config_yaml *item;
	size_t mark, i = 0;

	if (key->entry_size != 0) {
		array = calloc(node->count, key->entry_size);
		if (array == NULL) {
			FAULT(r, node->line, "no memory");
			return;
		}
		memcpy(base + key->offset, &array, sizeof(array));
		memcpy(base + key->count_offset, &node->count,
		    sizeof(node->count));
	}
	STAILQ_FOREACH(item, &node->entries, next)
	{
		mark = enter_entry(r, i);
		read_value(
		    r, &entry, item, array + i * key->entry_size, item->line);
		if (key->unique && is_twice(array, i, key->entry_size))
			FAULT(r, item->line, "`%.120s` is listed twice",
			    *(char **)(array + i * key->entry_size));
		leave(r, mark);
		i++;
	}
}

static void
read_list(struct reader *r, const struct config_key *key,
    struct config_yaml *node, char *base, unsigned line)
{
	if (node->kind != CONFIG_YAML_LIST)
		FAULT(r, line,
		    "must be a list, [a, b] or `- ` lines, but is %s",
		    kind_of(node));
	else if (node->count < key->min)
		FAULT(r, line, "is empty; at least one entry is required");
	else if (node->count > key->max)
		FAULT(r, line, "has %zu entries; at most %u are supported",
		    node->count, (unsigned)key->max);
	else if (node->count != 0)
		read_entries(r, key, node, base);
}

/* The default of a list whose entries add up, written as in a file. */
static void
set_default_list(
    struct reader *r, const struct config_key *key, char *member, unsigned line)
{
	char text[CONFIG_PATH_MAX], why[CONFIG_WHY_MAX], *rest = text, *entry;

	if (key->otherwise == NULL)
		return;
	snprintf(text, sizeof(text), "%s", key->otherwise);
	while ((entry = strtok_r(rest, "[, ]", &rest)) != NULL)
		if (!config_form_parse(key->form, entry, member, why))
			FAULT(r, line, "%s", why);
}

/* ---- `key: value` pairs ---- */

/* The index of the key's row, or CONFIG_KEYS_MAX. */
static size_t
find_row(const struct config_key *keys, const struct config_yaml *name)
{
	for (size_t i = 0; keys[i].key != NULL; i++)
		if (strlen(keys[i].key) == name->len &&
		    memcmp(keys[i].key, name->text, name->len) == 0)
			return i;
	return CONFIG_KEYS_MAX;
}

static void
fault_unknown(struct reader *r, const struct config_key *keys,
    const struct config_yaml *name)
{
	const char *guess = config_guess(keys, name->text);
	char known[CONFIG_LINE_MAX / 2];
	size_t mark = enter(r, name->text);
	struct text t;

	text_init(&t, known, sizeof(known) - 1);
	for (const struct config_key *k = keys; k->key != NULL; k++)
		text_addf(&t, "%s%s", k == keys ? "" : ", ", k->key);
	known[t.len] = '\0';
	if (guess != NULL)
		FAULT(r, name->line,
		    "unknown key; did you mean `%s`? known here: %s", guess,
		    known);
	else
		FAULT(r, name->line, "unknown key; known here: %s", known);
	leave(r, mark);
}

static void
read_pair(struct reader *r, const struct config_key *keys,
    struct config_yaml *value, char *base, unsigned *lines)
{
	unsigned line = value->key->line;
	size_t i = find_row(keys, value->key), mark;

	if (i == CONFIG_KEYS_MAX) {
		fault_unknown(r, keys, value->key);
		return;
	}
	mark = enter(r, keys[i].key);
	if (lines[i] != 0) {
		FAULT(r, line, "is given twice, first on line %u", lines[i]);
	} else {
		lines[i] = line;
		read_value(r, &keys[i], value, base, line);
	}
	leave(r, mark);
}

/* Whether an unknown key, already a fault, stands for the missing key. */
static bool
is_misspelt(const struct config_key *keys, const struct config_key *key,
    const struct config_yaml *map)
{
	const struct config_yaml *value;

	if (map != NULL)
		STAILQ_FOREACH(value, &map->entries, next)
	if (find_row(keys, value->key) == CONFIG_KEYS_MAX &&
	    config_guess(keys, value->key->text) == key->key)
		return true;
	return false;
}

/* map: NULL for an absent map with defaults. */
static void
read_map(struct reader *r, const struct config_key *keys,
    struct config_yaml *map, char *base, unsigned line)
{
	unsigned lines[CONFIG_KEYS_MAX] = {0};
	struct config_yaml *value;
	size_t mark;

	if (map != NULL)
		STAILQ_FOREACH(value, &map->entries, next)
	read_pair(r, keys, value, base, lines);
	for (size_t i = 0; keys[i].key != NULL; i++) {
		CHECK(i < CONFIG_KEYS_MAX);
		if (lines[i] != 0)
			continue;
		mark = enter(r, keys[i].key);
		if (!keys[i].required)
			read_value(r, &keys[i], NULL, base, line);
		else if (!is_misspelt(keys, &keys[i], map))
			FAULT(r, line, "is missing; it is required");
		leave(r, mark);
	}
}

/* base: the row's struct. node: NULL if absent. line: of the key. */
static void
read_value(struct reader *r, const struct config_key *key,
    struct config_yaml *node, char *base, unsigned line)
{
	if (key->type == CONFIG_MAP) {
		if (node != NULL && node->kind != CONFIG_YAML_MAP)
			FAULT(r, line, "must be `key: value` pairs, but is %s",
			    kind_of(node));
		else if (node != NULL)
			read_map(r, key->keys, node, base, node->line);
		else if (!key->opt_in)
			read_map(r, key->keys, NULL, base, line);
		return;
	}
	if (node != NULL && !key->required && config_yaml_is_null(node))
		node = NULL;
	if (key->type == CONFIG_LIST && node != NULL)
		read_list(r, key, node, base, line);
	else if (key->type != CONFIG_LIST && node != NULL)
		read_single(r, key, node, base + key->offset, line);
	else if (key->type != CONFIG_LIST)
		set_default(r, key, base + key->offset, line);
	else
		set_default_list(r, key, base + key->offset, line);
}

void
config_read(struct config_yaml *root, const struct config_key *keys, void *base,
    struct config_report *report)
{
	struct reader r = {.report = report};

	read_map(&r, keys, root, base, root->line);
}

/* ---- freeing ---- */

static void
free_list(const struct config_key *key, char *base)
{
	char *array;
	size_t count;

	memcpy(&array, base + key->offset, sizeof(array));
	memcpy(&count, base + key->count_offset, sizeof(count));
	for (size_t i = 0; i < count; i++) {
		if (key->form == NULL)
			config_read_free(
			    key->keys, array + i * key->entry_size);
		else
			config_form_release(
			    key->form, array + i * key->entry_size);
	}
	free(array);
}

void
config_read_free(const struct config_key *keys, void *base)
{
	for (const struct config_key *k = keys; k->key != NULL; k++) {
		if (k->type == CONFIG_MAP)
			config_read_free(k->keys, base);
		else if (k->type == CONFIG_LIST && k->entry_size != 0)
			free_list(k, base);
		else if (k->type == CONFIG_FORM)
			config_form_release(k->form, (char *)base + k->offset);
	}
}
