/*
 * cluster - /api/cluster: what /metrics says of this instance, for people and
 * the dashboard, with what is stalled right now and who died of what. Master.
 */
#ifndef CLUSTER_H
#define CLUSTER_H

#include <stdint.h>

#include "instance.h"

/* The JSON text, which is the caller's to free; NULL with ENOMEM. */
char *cluster_json(const struct instance *instance, uint64_t now_ns);

#endif
