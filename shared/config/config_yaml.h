/*
 * config_yaml - a YAML document as a tree of nodes with line numbers. Start-up
 * only.
 *
 * The text is parsed once, event by event. Refused are anchors and aliases (a
 * few lines can stand for gigabytes), a second document, deep nesting, and a
 * root other than a mapping.
 */
#ifndef CONFIG_YAML_H
#define CONFIG_YAML_H

#include <sys/queue.h>
#include <stdbool.h>
#include <stddef.h>

#include "config_report.h"

enum config_yaml_kind {
	CONFIG_YAML_SCALAR,
	CONFIG_YAML_LIST,
	CONFIG_YAML_MAP,
};

struct config_yaml {
	enum config_yaml_kind kind;
	unsigned line;
	bool plain;              /* a scalar without quotes */
	char *text;              /* of a scalar, references unshielded */
	size_t len;              /* more than strlen(text): a NUL inside */
	struct config_yaml *key; /* of a mapping's entry, a scalar */
	size_t count;            /* of entries */
	STAILQ_HEAD(config_yaml_entries, config_yaml) entries;
	STAILQ_ENTRY(config_yaml) next;
};

/* Takes a text from config_expand_shield(). NULL after a fault. */
struct config_yaml *config_yaml_parse(
    const char *text, size_t len, struct config_report *report);
void config_yaml_free(struct config_yaml *root);

/* True for `key:`, `key: ~` and `key: null`. */
bool config_yaml_is_null(const struct config_yaml *node);
/* The value at a key path, or NULL. */
const struct config_yaml *config_yaml_find(
    const struct config_yaml *root, const char *path);
/* The line of a key path, or of the nearest existing part. */
unsigned config_yaml_line(const struct config_yaml *root, const char *path);

#endif
