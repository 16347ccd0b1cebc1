/*
 * config_health - the values of a health check: the fields that are sent, and
 * the statuses that are good. Pure.
 */
#ifndef CONFIG_HEALTH_H
#define CONFIG_HEALTH_H

#include <stdbool.h>
#include <stddef.h>

#include "config.h"
#include "config_form.h"

extern const struct config_form config_health_host;   /* a char * */
extern const struct config_form config_health_header; /* a config_field */
extern const struct config_form config_health_status; /* a config_statuses */

/* Without any status: 2xx and 3xx. */
bool config_health_expects(const struct config_statuses *s, unsigned status);
/* Of the head of a check, as far as the configuration has a say. */
size_t config_health_bytes(const struct config_service *s);

#endif
