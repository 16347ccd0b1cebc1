/*
 * config_rules - rules between keys, and defaults taken from other keys or the
 * host. Start-up only.
 */
#ifndef CONFIG_RULES_H
#define CONFIG_RULES_H

#include "config.h"
#include "config_report.h"
#include "config_yaml.h"

/* Checks and completes the struct filled by config_read(). A key with a fault
 * gets no second fault, nor does a key compared with a faulty key. */
void config_rules_apply(struct config *c, const struct config_yaml *root,
    struct config_report *report);

#endif
