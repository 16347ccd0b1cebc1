/*
 * config_rules - what one key's row can not say: rules that compare keys, and
 * defaults that depend on others or on the host. Start-up only.
 */
#ifndef CONFIG_RULES_H
#define CONFIG_RULES_H

#include "config.h"
#include "config_report.h"
#include "config_yaml.h"

/* Checks and completes what config_read() filled from the tree. A key that has
 * a fault already, or that is compared with such a key, gets no second one. */
void config_rules_apply(struct config *c, const struct config_yaml *root,
    struct config_report *report);

#endif
