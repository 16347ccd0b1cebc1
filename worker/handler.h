/*
 * handler - the endpoints that a worker answers itself: metrics, count,
 * cpu_bound, health and welcome. Worker only.
 */
#ifndef HANDLER_H
#define HANDLER_H

#include "request.h"

/* Answers the client's request, now or later. */
void handler_start(struct request *request, enum config_handler handler);

/* What the handlers' files share: a JSON answer; json is used up. */
struct json_t;
void handler_reply(
    struct request *request, unsigned status, struct json_t *json);
/* {"pid","worker","instance"}, with which every answer of a handler begins.
 * ARCHITECTURE.md, "Answers in JSON", says how keys are named and ordered. NULL
 * when memory ends. */
struct json_t *handler_identity(struct runtime *rt);

/* The handlers with files of their own. */
void cpu_bound_start(struct request *request);
void count_start(struct request *request);
void welcome_start(struct request *request);

#endif
