/*
 * handler - the stages of routes that a worker answers itself, one for each row
 * of CONFIG_HANDLERS (config.h). Worker only.
 */
#ifndef HANDLER_H
#define HANDLER_H

#include "request.h"

#define X(symbol, name) extern const struct stage name##_stage;
CONFIG_HANDLERS(X)
#undef X

/* Sends a JSON response, for all handlers; json is used up. */
struct json_t;
void handler_reply(
    struct request *request, unsigned status, struct json_t *json);
/* {"pid","worker","instance"}, the beginning of every handler's response.
 * ARCHITECTURE.md, "Answers in JSON", has the names and order of keys. NULL
 * without memory. */
struct json_t *handler_identity(struct runtime *rt);

#endif
