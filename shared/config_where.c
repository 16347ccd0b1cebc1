#include "config_where.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config_expand.h"

struct config_where {
	const char *file;
	const char *text; /* until it was parsed */
	char *error;      /* of CONFIG_ERROR_MAX */
	bool failed;
	yaml_document_t document;
};

/* Fits one line and a terminal, whatever the file's text was. */
static void
tidy(char error[CONFIG_ERROR_MAX])
{
	config_expand_unshield(error);
	for (char *at = error; *at != '\0'; at++)
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			*at = '?';
}

/* FILE:LINE: into error; returns its length. */
static size_t
begin(char error[CONFIG_ERROR_MAX], const char *file, unsigned line)
{
	size_t len = strlen(file), max = CONFIG_ERROR_MAX / 2;

	/* The end of a very long path says more than its beginning. */
	if (len > max)
		file += len - max;
	if (line == 0)
		return (size_t)snprintf(error, CONFIG_ERROR_MAX, "%s: ", file);
	return (size_t)snprintf(error, CONFIG_ERROR_MAX, "%s:%u: ", file, line);
}

void
config_where_say(char error[CONFIG_ERROR_MAX], const char *file, unsigned line,
    const char *fmt, ...)
{
	size_t len = begin(error, file, line);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(error + len, CONFIG_ERROR_MAX - len, fmt, ap);
	va_end(ap);
	tidy(error);
}

void
config_where_fail(struct config_where *w, unsigned line, const char *path,
    const char *fmt, ...)
{
	size_t len;
	va_list ap;

	if (w->failed)
		return;
	w->failed = true;
	len = begin(
	    w->error, w->file, line != 0 ? line : config_where_line(w, path));
	len += (size_t)snprintf(w->error + len, CONFIG_ERROR_MAX - len, "%s%s",
	    path, path[0] == '\0' ? "" : ": ");
	if (len < CONFIG_ERROR_MAX) {
		va_start(ap, fmt);
		vsnprintf(w->error + len, CONFIG_ERROR_MAX - len, fmt, ap);
		va_end(ap);
	}
	tidy(w->error);
}

bool
config_where_has_failed(const struct config_where *w)
{
	return w->failed;
}

yaml_document_t *
config_where_document(struct config_where *w)
{
	return &w->document;
}

static unsigned
line_of(const yaml_node_t *node)
{
	return (unsigned)node->start_mark.line + 1;
}

/* Value and line of a mapping's key; NULL when there is none. */
static yaml_node_t *
find_key(struct config_where *w, const yaml_node_t *map, const char *key,
    size_t len, unsigned *line)
{
	if (map->type != YAML_MAPPING_NODE)
		return NULL;
	for (const yaml_node_pair_t *pair = map->data.mapping.pairs.start;
	     pair < map->data.mapping.pairs.top; pair++) {
		const yaml_node_t *k =
		    yaml_document_get_node(&w->document, pair->key);

		if (k->type == YAML_SCALAR_NODE &&
		    k->data.scalar.length == len &&
		    memcmp(k->data.scalar.value, key, len) == 0) {
			*line = line_of(k);
			return yaml_document_get_node(
			    &w->document, pair->value);
		}
	}
	return NULL;
}

static yaml_node_t *
find_item(struct config_where *w, const yaml_node_t *list, unsigned long index,
    unsigned *line)
{
	yaml_node_t *node;

	if (list->type != YAML_SEQUENCE_NODE ||
	    index >= (unsigned long)(list->data.sequence.items.top -
				     list->data.sequence.items.start))
		return NULL;
	node = yaml_document_get_node(
	    &w->document, list->data.sequence.items.start[index]);
	*line = line_of(node);
	return node;
}

unsigned
config_where_line(struct config_where *w, const char *path)
{
	yaml_node_t *node = yaml_document_get_root_node(&w->document);
	unsigned line = line_of(node);
	size_t len;
	char *end;

	while (node != NULL && *path != '\0') {
		if (*path == '[') {
			node = find_item(
			    w, node, strtoul(path + 1, &end, 10), &line);
			path = *end == ']' ? end + 1 : "";
		} else {
			path += *path == '.' ? 1 : 0;
			len = strcspn(path, ".[");
			node = find_key(w, node, path, len, &line);
			path += len;
		}
	}
	return line;
}

static bool
see(bool *seen, int node)
{
	bool before = seen[node - 1];

	seen[node - 1] = true;
	return before;
}

/* The line of a collection with an alias in it, 0 when there is none. libyaml
 * has no node for an alias: it shows as a node with two parents. */
static unsigned
alias_line(yaml_document_t *document)
{
	size_t count = (size_t)(document->nodes.top - document->nodes.start);
	bool *seen = calloc(count, sizeof(*seen));
	const yaml_node_t *node;
	unsigned line = 0;

	if (seen == NULL)
		return 1;
	see(seen, 1);
	for (node = document->nodes.start;
	     node < document->nodes.top && line == 0; node++) {
		if (node->type == YAML_SEQUENCE_NODE) {
			const yaml_node_item_t *item;

			for (item = node->data.sequence.items.start;
			     item < node->data.sequence.items.top; item++)
				if (see(seen, *item))
					line = line_of(node);
		} else if (node->type == YAML_MAPPING_NODE) {
			const yaml_node_pair_t *pair;

			for (pair = node->data.mapping.pairs.start;
			     pair < node->data.mapping.pairs.top; pair++)
				if (see(seen, pair->key) ||
				    see(seen, pair->value))
					line = line_of(node);
		}
	}
	free(seen);
	return line;
}

/* The line that the parser stopped at. */
static unsigned
problem_line(const yaml_parser_t *parser, const char *text)
{
	unsigned line = 1;

	if (parser->error != YAML_READER_ERROR)
		return (unsigned)parser->problem_mark.line + 1;
	/* The reader is ahead of the parser, and only counts bytes. */
	for (size_t i = 0; i < parser->problem_offset && text[i] != '\0'; i++)
		line += text[i] == '\n';
	return line;
}

static void
say_syntax(struct config_where *w, const yaml_parser_t *parser)
{
	const char *problem = parser->problem, *context = parser->context;

	config_where_say(w->error, w->file, problem_line(parser, w->text),
	    "not valid YAML: %s%s%s; see this line and the one before",
	    problem != NULL ? problem : "no memory", context != NULL ? " " : "",
	    context != NULL ? context : "");
}

/* The one document that there has to be; w->document is live when true. */
static bool
load(struct config_where *w, yaml_parser_t *parser)
{
	const yaml_node_t *root;
	yaml_document_t next;
	unsigned line;

	if (!yaml_parser_load(parser, &w->document)) {
		say_syntax(w, parser);
		return false;
	}
	root = yaml_document_get_root_node(&w->document);
	if (root == NULL)
		config_where_say(w->error, w->file, 1,
		    "the file is empty; at least `listen` is needed");
	else if (root->type != YAML_MAPPING_NODE)
		config_where_say(w->error, w->file, line_of(root),
		    "must be `key: value` lines, such as `listen: ...`");
	else if ((line = alias_line(&w->document)) != 0)
		config_where_say(w->error, w->file, line,
		    "YAML aliases (*name) are not supported; write it out");
	else if (!yaml_parser_load(parser, &next))
		say_syntax(w, parser);
	else {
		root = yaml_document_get_root_node(&next);
		line = root != NULL ? line_of(root) : 0;
		yaml_document_delete(&next);
		if (line == 0)
			return true;
		config_where_say(w->error, w->file, line,
		    "a second document; one file holds one configuration");
	}
	yaml_document_delete(&w->document);
	return false;
}

struct config_where *
config_where_new(const char *file, const char *text, size_t len,
    char error[CONFIG_ERROR_MAX])
{
	struct config_where *w = calloc(1, sizeof(*w));
	yaml_parser_t parser;
	bool good;

	if (w == NULL || !yaml_parser_initialize(&parser)) {
		free(w);
		config_where_say(error, file, 0, "no memory");
		return NULL;
	}
	w->file = file;
	w->text = text;
	w->error = error;
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
	good = load(w, &parser);
	yaml_parser_delete(&parser);
	if (good)
		return w;
	free(w);
	return NULL;
}

void
config_where_free(struct config_where *w)
{
	if (w == NULL)
		return;
	yaml_document_delete(&w->document);
	free(w);
}
