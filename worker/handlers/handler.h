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

/* What the handlers' files share: a JSON answer; json is used up. */
struct json_t;
void handler_reply(
    struct request *request, unsigned status, struct json_t *json);
/* {"pid","worker","instance"}, with which every answer of a handler begins.
 * ARCHITECTURE.md, "Answers in JSON", says how keys are named and ordered. NULL
 * when memory ends. */
struct json_t *handler_identity(struct runtime *rt);

#endif
