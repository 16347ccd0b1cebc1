/*
 * config_parameters - the query parameters of the handlers that a route can
 * name, for the check of a request and for the manual. Both processes;
 * constant.
 */
#ifndef CONFIG_PARAMETERS_H
#define CONFIG_PARAMETERS_H

#include "config.h"

struct config_parameter {
	enum config_handler handler;
	const char *name;
	const char *const *choices; /* ends with NULL; or NULL: any value */
	const char *says;           /* the values, without choices */
	const char *otherwise;      /* the default */
	const char *help;
};

/* Sorted by handler; ends with a name of NULL. */
extern const struct config_parameter config_parameters[];

#endif
