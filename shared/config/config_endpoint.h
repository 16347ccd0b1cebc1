/*
 * config_endpoint - the `endpoints` of one service, checked: "host:port", and
 * words behind it. Start-up only; a part of config_service.
 */
#ifndef CONFIG_ENDPOINT_H
#define CONFIG_ENDPOINT_H

#include "config.h"
#include "config_schema.h"
#include "config_value.h"

/* Fills s->endpoints. */
void config_endpoint_check(struct config_value *v,
    const struct config_raw_service *raw, struct config_service *s);

#endif
