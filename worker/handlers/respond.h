/*
 * respond - the stage of routes that answer with a text of the configuration:
 * the demo services. Delays and failures are as frequent as configured. Worker
 * only.
 */
#ifndef RESPOND_H
#define RESPOND_H

#include "chain.h"

extern const struct stage respond_stage;

#endif
