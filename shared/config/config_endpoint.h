/*
 * config_endpoint - an entry of a service's `endpoints`: an address or a name
 * with a port, then options. Pure.
 */
#ifndef CONFIG_ENDPOINT_H
#define CONFIG_ENDPOINT_H

#include "config_form.h"

/* A struct config_endpoint. */
extern const struct config_form config_endpoint_form;
/* A struct config_source: a local address, without a port. */
extern const struct config_form config_endpoint_source_form;

#endif
