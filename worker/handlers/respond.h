/*
 * respond - the stage of routes that answer with a text of the configuration,
 * late or wrong as often as it says: the demo services. Worker only.
 */
#ifndef RESPOND_H
#define RESPOND_H

#include "chain.h"

extern const struct stage respond_stage;

#endif
