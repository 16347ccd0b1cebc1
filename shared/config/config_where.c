#include "config_where.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config_expand.h"

#define DEPTH_MAX 16 /* of collections; the schema goes 5 deep */

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

/* Says why an event must not be; depth and documents are counters. */
static const char *
refuse(const yaml_event_t *event, unsigned *depth, unsigned *documents)
{
	static const char anchors[] =
	    "YAML anchors (&name) and aliases (*name) are not supported; "
	    "write it out";

	switch (event->type) {
	case YAML_DOCUMENT_START_EVENT:
		if (++*documents > 1)
			return "a second document; one file holds one "
			       "configuration";
		return NULL;
	case YAML_ALIAS_EVENT:
		return anchors;
	case YAML_SCALAR_EVENT:
		return event->data.scalar.anchor != NULL ? anchors : NULL;
	case YAML_SEQUENCE_START_EVENT:
	case YAML_MAPPING_START_EVENT:
		if (++*depth > DEPTH_MAX)
			return "nested too deeply for a configuration";
		if (event->type == YAML_SEQUENCE_START_EVENT)
			return event->data.sequence_start.anchor != NULL
				   ? anchors
				   : NULL;
		return event->data.mapping_start.anchor != NULL ? anchors
								: NULL;
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		--*depth;
		return NULL;
	default:
		return NULL;
	}
}

/*
 * A pass over the file's events, which needs no memory to speak of. It keeps
 * from the tree what would take gigabytes (aliases) or hours (libyaml is
 * quadratic in depth and in anchors).
 */
static bool
survey(struct config_where *w, yaml_parser_t *parser)
{
	unsigned depth = 0, documents = 0;
	yaml_event_type_t type = YAML_NO_EVENT;
	const char *why = NULL;
	yaml_event_t event;

	while (type != YAML_STREAM_END_EVENT && why == NULL) {
		if (!yaml_parser_parse(parser, &event)) {
			say_syntax(w, parser);
			return false;
		}
		type = event.type;
		why = refuse(&event, &depth, &documents);
		if (why != NULL)
			config_where_say(w->error, w->file,
			    (unsigned)event.start_mark.line + 1, "%s", why);
		yaml_event_delete(&event);
	}
	return why == NULL;
}

/* Builds the tree; w->document is live when true. */
static bool
load(struct config_where *w, yaml_parser_t *parser)
{
	const yaml_node_t *root;

	if (!yaml_parser_load(parser, &w->document)) {
		say_syntax(w, parser);
		return false;
	}
	root = yaml_document_get_root_node(&w->document);
	if (root != NULL && root->type == YAML_MAPPING_NODE)
		return true;
	if (root == NULL)
		config_where_say(w->error, w->file, 1,
		    "the file is empty; at least `listen` is needed");
	else
		config_where_say(w->error, w->file, line_of(root),
		    "must be `key: value` lines, such as `listen: ...`");
	yaml_document_delete(&w->document);
	return false;
}

static bool
parse(struct config_where *w, size_t len,
    bool (*pass)(struct config_where *w, yaml_parser_t *parser))
{
	yaml_parser_t parser;
	bool good;

	if (!yaml_parser_initialize(&parser)) {
		config_where_say(w->error, w->file, 0, "no memory");
		return false;
	}
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(
	    &parser, (const unsigned char *)w->text, len);
	good = pass(w, &parser);
	yaml_parser_delete(&parser);
	return good;
}

struct config_where *
config_where_new(const char *file, const char *text, size_t len,
    char error[CONFIG_ERROR_MAX])
{
	struct config_where *w = calloc(1, sizeof(*w));

	if (w == NULL) {
		config_where_say(error, file, 0, "no memory");
		return NULL;
	}
	w->file = file;
	w->text = text;
	w->error = error;
	if (parse(w, len, survey) && parse(w, len, load))
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
