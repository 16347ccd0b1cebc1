/*
 * config_match - conditions of a route besides the path: `exact`, `host`,
 * `methods`, `headers` and `query`. Pure.
 */
#ifndef CONFIG_MATCH_H
#define CONFIG_MATCH_H

#include "config.h"
#include "config_form.h"

extern const struct config_form config_match_host;   /* a char * */
extern const struct config_form config_match_method; /* uint64_t, of bits */
extern const struct config_form config_match_header; /* a config_match */
extern const struct config_form config_match_parameter;

/* Whether two routes have the same conditions, whatever the paths. */
bool config_match_equal(
    const struct config_route *a, const struct config_route *b);

#endif
