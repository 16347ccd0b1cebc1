/*
 * config_read - from a tree to a struct, along a table of keys; frees the
 * struct along the same table. Start-up only.
 *
 * A value is expanded, then converted by its row. The row's default replaces a
 * value that is absent, null, or empty after expansion. Faults are unknown,
 * repeated and missing keys, lists in place of single values and the reverse,
 * and values outside the row's bounds.
 */
#ifndef CONFIG_READ_H
#define CONFIG_READ_H

#include "config_keys.h"
#include "config_report.h"
#include "config_yaml.h"

/* Fills a zeroed struct; the tree keeps the expanded texts. A fault leaves the
 * member of its key incomplete. Rules ask the report before using a member, and
 * config_read_free() takes any. */
void config_read(struct config_yaml *root, const struct config_key *keys,
    void *base, struct config_report *report);
void config_read_free(const struct config_key *keys, void *base);

#endif
