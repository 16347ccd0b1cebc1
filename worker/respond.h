/*
 * respond - routes that answer with a text of the configuration, late or
 * wrong as often as it says: the demo services. Worker only.
 */
#ifndef RESPOND_H
#define RESPOND_H

#include "request.h"

void respond_start(
    struct request *request, const struct config_respond *respond);

#endif
