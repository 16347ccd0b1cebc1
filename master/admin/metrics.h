/*
 * metrics - the page that Prometheus reads: every worker's totals, gauges and
 * event-loop delay. The sources are the scoreboard, the processes, and
 * service_metrics. docs/metrics.md explains each metric. Master.
 *
 * Totals are monotonic over the restarts of a worker, as the slot keeps them.
 *
 * Source: Prometheus text exposition format 0.0.4.
 */
#ifndef METRICS_H
#define METRICS_H

#include <stddef.h>
#include <stdint.h>

#include "instance.h"

#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* The page, to be freed by the caller; NULL with ENOMEM. */
char *metrics_page(
    const struct instance *instance, uint64_t now_ns, size_t *len);

#endif
