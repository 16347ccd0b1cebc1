#include "config_yaml.h"

#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "config_expand.h"

#define DEPTH_MAX 16 /* of collections; the known keys go 5 deep */
#define BOM "\xef\xbb\xbf"

struct parse {
	const char *text;
	struct config_report *report;
	yaml_parser_t parser;
	bool failed;
	unsigned documents;
	struct config_yaml *root;
	struct config_yaml *open[DEPTH_MAX]; /* collections, outermost first */
	unsigned depth;
	struct config_yaml *key; /* the key whose value comes next */
};

/* ---- the tree ---- */

void
config_yaml_free(struct config_yaml *node)
{
	struct config_yaml *entry;

	if (node == NULL)
		return;
	while ((entry = STAILQ_FIRST(&node->entries)) != NULL) {
		STAILQ_REMOVE_HEAD(&node->entries, next);
		config_yaml_free(entry);
	}
	config_yaml_free(node->key);
	free(node->text);
	free(node);
}

bool
config_yaml_is_null(const struct config_yaml *node)
{
	return node->kind == CONFIG_YAML_SCALAR && node->plain &&
	       (node->text[0] == '\0' || strcmp(node->text, "~") == 0 ||
		   strcasecmp(node->text, "null") == 0);
}

/* The entry for the first part of a path; *path moves past the part. */
static const struct config_yaml *
step(const struct config_yaml *node, const char **path)
{
	const struct config_yaml *entry;
	size_t len;
	unsigned long index;
	char *end;

	if (**path == '[') {
		index = strtoul(*path + 1, &end, 10);
		*path = *end == ']' ? end + 1 : end;
		STAILQ_FOREACH(entry, &node->entries, next)
		if (index-- == 0)
			return entry;
		return NULL;
	}
	*path += **path == '.' ? 1 : 0;
	len = strcspn(*path, ".[");
	STAILQ_FOREACH(entry, &node->entries, next)
	if (entry->key != NULL && entry->key->len == len &&
	    memcmp(entry->key->text, *path, len) == 0)
		break;
	*path += len;
	return entry;
}

const struct config_yaml *
config_yaml_find(const struct config_yaml *root, const char *path)
{
	while (root != NULL && *path != '\0')
		root = step(root, &path);
	return root;
}

unsigned
config_yaml_line(const struct config_yaml *root, const char *path)
{
	unsigned line = root->line;

	while (*path != '\0' && (root = step(root, &path)) != NULL)
		line = root->key != NULL ? root->key->line : root->line;
	return line;
}

/* ---- refusals ---- */

static void
fail(struct parse *p, unsigned line, const char *what)
{
	if (!p->failed)
		config_report_fault(p->report, line, "", "%s", what);
	p->failed = true;
}

/* The line of the parser's error. */
static unsigned
problem_line(const struct parse *p)
{
	unsigned line = 1;

	if (p->parser.error != YAML_READER_ERROR)
		return (unsigned)p->parser.problem_mark.line + 1;
	/* libyaml's reader runs ahead of the parser, and only counts bytes. */
	for (size_t i = 0; i < p->parser.problem_offset && p->text[i] != '\0';
	    i++)
		line += p->text[i] == '\n';
	return line;
}

/* A character hidden by editors and explaining the error, or NULL. */
static const char *
invisible(const struct parse *p, unsigned number)
{
	const char *line = p->text;
	size_t len;

	if (strncmp(line, "\xff\xfe", 2) == 0 ||
	    strncmp(line, "\xfe\xff", 2) == 0)
		return "a byte order mark of UTF-16; save the file as UTF-8";
	while (--number > 0 && (line = strchr(line, '\n')) != NULL)
		line++;
	if (line == NULL)
		return NULL;
	if (line != p->text && strncmp(line, BOM, strlen(BOM)) == 0)
		return "a byte order mark inside the file; remove it";
	len = strspn(line, " -\t");
	if (p->parser.error == YAML_SCANNER_ERROR &&
	    memchr(line, '\t', len) != NULL)
		return "a tab in the indentation; indent with spaces";
	return NULL;
}

static void
fail_syntax(struct parse *p)
{
	const char *problem = p->parser.problem, *context = p->parser.context;
	unsigned line = problem_line(p);
	const char *why = invisible(p, line);

	p->failed = true;
	if (why != NULL)
		config_report_fault(
		    p->report, line, "", "not valid YAML: %s", why);
	else
		config_report_fault(p->report, line, "",
		    "not valid YAML: %s%s%s; see this line and the one before",
		    problem != NULL ? problem : "no memory",
		    context != NULL ? " " : "", context != NULL ? context : "");
}

/* ---- from events to nodes ---- */

static struct config_yaml *
new_node(struct parse *p, enum config_yaml_kind kind, const yaml_event_t *event)
{
	struct config_yaml *node = calloc(1, sizeof(*node));

	if (node == NULL) {
		fail(p, 0, "no memory");
		return NULL;
	}
	node->kind = kind;
	node->line = (unsigned)event->start_mark.line + 1;
	STAILQ_INIT(&node->entries);
	return node;
}

/* Puts the node in place: the root, a key, a key's value, or an entry. */
static void
place(struct parse *p, struct config_yaml *node)
{
	struct config_yaml *parent =
	    p->depth > 0 ? p->open[p->depth - 1] : NULL;

	if (parent == NULL) {
		p->root = node;
	} else if (parent->kind == CONFIG_YAML_MAP && p->key == NULL) {
		p->key = node;
	} else {
		node->key = p->key;
		p->key = NULL;
		STAILQ_INSERT_TAIL(&parent->entries, node, next);
		parent->count++;
	}
}

static void
on_scalar(struct parse *p, const yaml_event_t *event)
{
	struct config_yaml *node = new_node(p, CONFIG_YAML_SCALAR, event);

	if (node == NULL)
		return;
	node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	node->len = event->data.scalar.length;
	node->text = malloc(node->len + 1);
	if (node->text == NULL) {
		config_yaml_free(node);
		fail(p, 0, "no memory");
		return;
	}
	memcpy(node->text, event->data.scalar.value, node->len + 1);
	if (strlen(node->text) == node->len) {
		config_expand_unshield(node->text);
		node->len = strlen(node->text);
	}
	place(p, node);
}

static void
on_start(struct parse *p, enum config_yaml_kind kind, const yaml_event_t *event)
{
	unsigned line = (unsigned)event->start_mark.line + 1;
	struct config_yaml *node;

	if (p->depth == DEPTH_MAX) {
		fail(p, line, "nested too deeply for a configuration");
	} else if (p->depth > 0 && p->key == NULL &&
		   p->open[p->depth - 1]->kind == CONFIG_YAML_MAP) {
		fail(p, line, "a key must be plain text");
	} else if ((node = new_node(p, kind, event)) != NULL) {
		place(p, node);
		p->open[p->depth++] = node;
	}
}

static bool
has_anchor(const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_ALIAS_EVENT:
		return true;
	case YAML_SCALAR_EVENT:
		return event->data.scalar.anchor != NULL;
	case YAML_SEQUENCE_START_EVENT:
		return event->data.sequence_start.anchor != NULL;
	case YAML_MAPPING_START_EVENT:
		return event->data.mapping_start.anchor != NULL;
	default:
		return false;
	}
}

static void
on_event(struct parse *p, const yaml_event_t *event)
{
	unsigned line = (unsigned)event->start_mark.line + 1;

	if (has_anchor(event)) {
		fail(p, line,
		    "YAML anchors (&name) and aliases (*name) are not "
		    "supported; write it out");
		return;
	}
	switch (event->type) {
	case YAML_DOCUMENT_START_EVENT:
		if (p->documents++ > 0)
			fail(p, line,
			    "a second document; one file holds one "
			    "configuration");
		break;
	case YAML_SCALAR_EVENT:
		on_scalar(p, event);
		break;
	case YAML_SEQUENCE_START_EVENT:
		on_start(p, CONFIG_YAML_LIST, event);
		break;
	case YAML_MAPPING_START_EVENT:
		on_start(p, CONFIG_YAML_MAP, event);
		break;
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		p->depth--;
		break;
	default:
		break;
	}
}

static void
read_events(struct parse *p)
{
	yaml_event_type_t type = YAML_NO_EVENT;
	yaml_event_t event;

	while (type != YAML_STREAM_END_EVENT && !p->failed) {
		if (!yaml_parser_parse(&p->parser, &event)) {
			fail_syntax(p);
			return;
		}
		type = event.type;
		on_event(p, &event);
		yaml_event_delete(&event);
	}
	if (p->failed)
		return;
	if (p->root == NULL)
		fail(p, 1, "the file is empty; at least `listen` is needed");
	else if (p->root->kind != CONFIG_YAML_MAP)
		fail(p, p->root->line,
		    "must be `key: value` lines, such as `listen: ...`");
}

struct config_yaml *
config_yaml_parse(const char *text, size_t len, struct config_report *report)
{
	struct parse p = {.report = report};

	/* libyaml skips the mark, but then takes the first key to be indented
	 * by one. */
	if (len >= strlen(BOM) && memcmp(text, BOM, strlen(BOM)) == 0) {
		text += strlen(BOM);
		len -= strlen(BOM);
	}
	p.text = text;
	if (!yaml_parser_initialize(&p.parser)) {
		fail(&p, 0, "no memory");
		return NULL;
	}
	yaml_parser_set_encoding(&p.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(
	    &p.parser, (const unsigned char *)text, len);
	read_events(&p);
	yaml_parser_delete(&p.parser);
	if (!p.failed)
		return p.root;
	config_yaml_free(p.key);
	config_yaml_free(p.root);
	return NULL;
}
