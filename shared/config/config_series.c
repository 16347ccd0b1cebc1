#include "config_series.h"

#include <stdlib.h>
#include <string.h>

/* The index of the series for the route's path and service, new or shared. */
static unsigned
find_series(struct config *c, const struct config_route *route)
{
	size_t i;

	for (i = 1; i < c->series_count; i++)
		if (c->series[i].service == route->service &&
		    strcmp(c->series[i].path, route->path) == 0)
			return (unsigned)i;
	c->series[i] = (struct config_series){route->path, route->service};
	c->series_count++;
	return (unsigned)i;
}

int
config_series_make(struct config *c)
{
	c->series = calloc(c->route_count + 1, sizeof(*c->series));
	if (c->series == NULL)
		return -1;
	c->series[0] = (struct config_series){"", -1};
	c->series_count = 1;
	for (size_t i = 0; i < c->route_count; i++)
		if (c->routes[i].path != NULL)
			c->routes[i].series = find_series(c, &c->routes[i]);
	return 0;
}
