/*
 * parameters - the stage that checks the query of a request to a handler.
 * Worker only.
 *
 * A name that neither the handler (config_parameters.h) nor the route's own
 * conditions know is a 400 that lists the known names: a misspelt parameter
 * shall not be taken for its default. Names and values are compared without
 * decoding.
 */
#ifndef PARAMETERS_H
#define PARAMETERS_H

#include "chain.h"

extern const struct stage parameters_stage;

#endif
