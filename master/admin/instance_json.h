/*
 * instance_json - /api/cluster: this instance as JSON, for people and the
 * dashboard. Beside the figures of /metrics: which workers are stalled right
 * now, and how workers died. Master only.
 */
#ifndef INSTANCE_JSON_H
#define INSTANCE_JSON_H

#include <stdint.h>

#include "instance.h"

/* The JSON text; the caller frees it. NULL with ENOMEM. */
char *instance_json(const struct instance *instance, uint64_t now_ns);

#endif
