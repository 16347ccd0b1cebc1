#include "config_shape.h"

#include <stdio.h>
#include <string.h>

#include "check.h"
#include "text.h"

#define FIELDS_MAX 32 /* keys of one mapping; config_schema has 15 */

struct shape {
	struct config_where *where;
	yaml_document_t *document;
	char path[CONFIG_WHERE_PATH_MAX]; /* of the node in hand */
};

static void check_value(struct shape *s, const yaml_node_t *node,
    const cyaml_schema_value_t *schema, unsigned line);

static unsigned
line_of(const yaml_node_t *node)
{
	return (unsigned)node->start_mark.line + 1;
}

/* Appends to the path and returns its former length, for leave(). */
static size_t
enter_key(struct shape *s, const char *key)
{
	size_t len = strlen(s->path);

	snprintf(s->path + len, sizeof(s->path) - len, "%s%s",
	    len == 0 ? "" : ".", key);
	return len;
}

static size_t
enter_item(struct shape *s, size_t index)
{
	size_t len = strlen(s->path);

	snprintf(s->path + len, sizeof(s->path) - len, "[%zu]", index);
	return len;
}

static void
leave(struct shape *s, size_t len)
{
	s->path[len] = '\0';
}

static void
fail_unknown(
    struct shape *s, const yaml_node_t *key, const cyaml_schema_field_t *fields)
{
	char known[CONFIG_ERROR_MAX / 2], name[65];
	struct text t;

	text_init(&t, known, sizeof(known) - 1);
	for (const cyaml_schema_field_t *f = fields; f->key != NULL; f++)
		text_addf(&t, "%s%s", f == fields ? "" : ", ", f->key);
	known[t.len] = '\0';
	snprintf(
	    name, sizeof(name), "%s", (const char *)key->data.scalar.value);
	enter_key(s, name);
	config_where_fail(s->where, line_of(key), s->path,
	    "unknown key; known here: %s", known);
}

/* The field that the key names, FIELDS_MAX when it is none. */
static size_t
find_field(const cyaml_schema_field_t *fields, const yaml_node_t *key)
{
	/* A NUL inside a key would end it for libcyaml. */
	for (size_t i = 0; fields[i].key != NULL; i++)
		if (strlen(fields[i].key) == key->data.scalar.length &&
		    memcmp(fields[i].key, key->data.scalar.value,
			key->data.scalar.length) == 0)
			return i;
	return FIELDS_MAX;
}

static bool
is_null(const yaml_node_t *node)
{
	const char *text = (const char *)node->data.scalar.value;

	return node->type == YAML_SCALAR_NODE &&
	       node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
	       (text[0] == '\0' || strcmp(text, "~") == 0 ||
		   strcasecmp(text, "null") == 0);
}

static void
check_pair(struct shape *s, const yaml_node_pair_t *pair,
    const cyaml_schema_field_t *fields, unsigned *line_of_field)
{
	const yaml_node_t *key = yaml_document_get_node(s->document, pair->key);
	const yaml_node_t *value =
	    yaml_document_get_node(s->document, pair->value);
	size_t len, i;

	if (key->type != YAML_SCALAR_NODE) {
		config_where_fail(s->where, line_of(key), s->path,
		    "a key must be plain text");
		return;
	}
	i = find_field(fields, key);
	if (i == FIELDS_MAX) {
		fail_unknown(s, key, fields);
		return;
	}
	len = enter_key(s, fields[i].key);
	if (line_of_field[i] != 0)
		config_where_fail(s->where, line_of(key), s->path,
		    "is given twice, first on line %u", line_of_field[i]);
	line_of_field[i] = line_of(key);
	check_value(s, value, &fields[i].value, line_of(key));
	leave(s, len);
}

static void
check_mapping(struct shape *s, const yaml_node_t *node,
    const cyaml_schema_field_t *fields)
{
	unsigned line_of_field[FIELDS_MAX] = {0};
	size_t len;

	for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
	    pair < node->data.mapping.pairs.top &&
	    !config_where_has_failed(s->where);
	    pair++)
		check_pair(s, pair, fields, line_of_field);
	for (size_t i = 0; fields[i].key != NULL; i++) {
		CHECK(i < FIELDS_MAX);
		if (line_of_field[i] != 0 ||
		    (fields[i].value.flags & CYAML_FLAG_OPTIONAL) != 0)
			continue;
		len = enter_key(s, fields[i].key);
		config_where_fail(s->where, line_of(node), s->path,
		    "is missing; it is required");
		leave(s, len);
	}
}

static void
check_sequence(struct shape *s, const yaml_node_t *node,
    const cyaml_schema_value_t *schema)
{
	size_t count = (size_t)(node->data.sequence.items.top -
				node->data.sequence.items.start);
	const yaml_node_t *item;
	size_t len;

	if (count < schema->sequence.min)
		config_where_fail(s->where, 0, s->path,
		    "is empty; at least one entry is required");
	if (count > schema->sequence.max)
		config_where_fail(s->where, 0, s->path,
		    "has %zu entries; at most %u are supported", count,
		    schema->sequence.max);
	for (size_t i = 0; i < count && !config_where_has_failed(s->where);
	    i++) {
		item = yaml_document_get_node(
		    s->document, node->data.sequence.items.start[i]);
		len = enter_item(s, i);
		check_value(s, item, schema->sequence.entry, line_of(item));
		leave(s, len);
	}
}

static const char *
kind_of(const yaml_node_t *node)
{
	switch (node->type) {
	case YAML_SEQUENCE_NODE:
		return "a list";
	case YAML_MAPPING_NODE:
		return "`key: value` pairs";
	default:
		return is_null(node) ? "empty" : "a single value";
	}
}

static void
fail_kind(
    struct shape *s, const yaml_node_t *node, const char *wanted, unsigned line)
{
	config_where_fail(s->where, line, s->path, "must be %s, but is %s",
	    wanted, kind_of(node));
}

/* line: where the key of the value stands. */
static void
check_value(struct shape *s, const yaml_node_t *node,
    const cyaml_schema_value_t *schema, unsigned line)
{
	bool nullable = (schema->flags & CYAML_FLAG_OPTIONAL) != 0 &&
			(schema->flags & CYAML_FLAG_POINTER_NULL) ==
			    CYAML_FLAG_POINTER_NULL;

	if (nullable && is_null(node))
		return;
	switch (schema->type) {
	case CYAML_MAPPING:
		if (node->type == YAML_MAPPING_NODE)
			check_mapping(s, node, schema->mapping.fields);
		else
			fail_kind(s, node, "`key: value` pairs", line);
		break;
	case CYAML_SEQUENCE:
		if (node->type == YAML_SEQUENCE_NODE)
			check_sequence(s, node, schema);
		else
			fail_kind(
			    s, node, "a list, [a, b] or `- ` lines", line);
		break;
	default:
		if (node->type != YAML_SCALAR_NODE)
			fail_kind(s, node, "a single value", line);
		else if (strlen((const char *)node->data.scalar.value) !=
			 node->data.scalar.length)
			config_where_fail(s->where, line, s->path,
			    "has a NUL character in it");
	}
}

void
config_shape_check(struct config_where *w, const cyaml_schema_value_t *schema)
{
	struct shape s = {.where = w, .document = config_where_document(w)};
	const yaml_node_t *root = yaml_document_get_root_node(s.document);

	check_value(&s, root, schema, line_of(root));
}
