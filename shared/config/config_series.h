/*
 * config_series - the series of the metrics: each route's index, and the table.
 * Pure.
 */
#ifndef CONFIG_SERIES_H
#define CONFIG_SERIES_H

#include "config.h"

/* After the routes' services are known. A route without a path, which has a
 * fault, has no series. -1 with ENOMEM. */
int config_series_make(struct config *c);

#endif
