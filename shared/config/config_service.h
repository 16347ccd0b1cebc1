/*
 * config_service - the `services` of a configuration, checked. Start-up only;
 * a part of config_check.
 */
#ifndef CONFIG_SERVICE_H
#define CONFIG_SERVICE_H

#include "config.h"
#include "config_schema.h"
#include "config_value.h"

/* As config_check(): fills c->services. */
void config_service_check(
    struct config_value *v, const struct config_raw *raw, struct config *c);

#endif
