/*
 * config_read - walks a tree along a table of keys, once, and fills a struct;
 * frees that struct along the same table. Start-up only.
 *
 * A value is expanded, then converted as its row says. Where a value is absent,
 * null, or empty once expanded, the row's default takes its place. Unknown,
 * repeated and missing keys, a list where a single value belongs and the like,
 * and values that are not what their row asks for are faults.
 */
#ifndef CONFIG_READ_H
#define CONFIG_READ_H

#include "config_keys.h"
#include "config_report.h"
#include "config_yaml.h"

/* Fills a zeroed struct; the tree keeps the expanded texts. After a fault the
 * struct is incomplete: rules have to look before they trust a member, and
 * config_read_free() does. */
void config_read(struct config_yaml *root, const struct config_key *keys,
    void *base, struct config_report *report);
void config_read_free(const struct config_key *keys, void *base);

#endif
