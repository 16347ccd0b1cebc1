/*
 * config_match - what a route asks of a request besides its path: `exact`,
 * `host`, `methods`, `headers` and `query`, checked. Start-up only; a part of
 * config_route.
 */
#ifndef CONFIG_MATCH_H
#define CONFIG_MATCH_H

#include "config.h"
#include "config_schema.h"
#include "config_value.h"

/* Fills the fields of these names in *r. */
void config_match_check(struct config_value *v,
    const struct config_raw_route *raw, struct config_route *r);

/* Whether two routes, checked without a failure, ask for just the same, the
 * path left aside. */
bool config_match_equal(
    const struct config_route *a, const struct config_route *b);

#endif
