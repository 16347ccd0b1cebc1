/*
 * config_route - the `routes` of a configuration, checked. Start-up only; a
 * part of config_check.
 */
#ifndef CONFIG_ROUTE_H
#define CONFIG_ROUTE_H

#include "config.h"
#include "config_schema.h"
#include "config_value.h"

/* As config_check(): fills c->routes and c->series; c->services must stand
 * already. */
void config_route_check(
    struct config_value *v, const struct config_raw *raw, struct config *c);

/* A URL's path, such as /health, without query or fragment. NULL when it is
 * empty. */
char *config_route_path(
    struct config_value *v, const char *key, const char *raw);

#endif
