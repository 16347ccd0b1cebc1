/*
 * handler - the stages of routes that a worker answers itself: metrics, count,
 * cpu_bound, health and welcome. Worker only.
 */
#ifndef HANDLER_H
#define HANDLER_H

#include "request.h"

extern const struct stage metrics_stage;
extern const struct stage health_stage;
extern const struct stage cpu_bound_stage;
extern const struct stage count_stage;
extern const struct stage welcome_stage;

/* What the handlers' files share: a JSON answer; json is used up. */
struct json_t;
void handler_reply(
    struct request *request, unsigned status, struct json_t *json);
/* {"pid","worker","instance"}, with which every answer of a handler begins.
 * ARCHITECTURE.md, "Answers in JSON", says how keys are named and ordered. NULL
 * when memory ends. */
struct json_t *handler_identity(struct runtime *rt);

#endif
