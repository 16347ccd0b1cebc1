/*
 * cluster_link - a worker's connection to Redis and the parts that use it:
 * breakers, totals and sequence. Worker only.
 *
 * While Redis is away the worker is in degraded mode: proxying goes on,
 * breakers decide on this host, totals wait. Every worker notices for itself.
 * The instance logs the loss of Redis once, and the return once.
 */
#ifndef CLUSTER_LINK_H
#define CLUSTER_LINK_H

#include "runtime.h"

struct redis;

struct cluster_link {
	struct runtime *runtime;
	struct redis *redis; /* NULL: not configured */
	char name[32];       /* the worker's name in CLIENT LIST */
};

/* Starts to connect; sets rt's breakers, totals and sequence. link and rt
 * outlive the loop. -1 with errno: cluster_link_close() frees the finished
 * parts. */
int cluster_link_open(struct cluster_link *link, struct runtime *rt);
void cluster_link_close(struct cluster_link *link);

#endif
