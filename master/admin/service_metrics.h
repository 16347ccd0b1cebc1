/*
 * service_metrics - the part of the metrics page about requests: durations by
 * route and by service, the services, their endpoints. Summed over the workers.
 * Master.
 */
#ifndef SERVICE_METRICS_H
#define SERVICE_METRICS_H

#include <stdint.h>
#include <stdio.h>

#include "instance.h"

void service_metrics_write(
    FILE *f, const struct instance *instance, uint64_t now_ns);

#endif
