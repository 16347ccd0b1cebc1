/*
 * config_own - finds services that lead back to a listener of the same file:
 * each request would go round until it is refused. Both processes.
 *
 * Seen are unix sockets, addresses of this host, and `localhost`. The addresses
 * of other names are not known at the start; a loop over several hosts is none
 * of this file's. Such a loop ends by Via (last_hop.h).
 */
#ifndef CONFIG_OWN_H
#define CONFIG_OWN_H

#include <stdbool.h>

#include "config.h"

/* The listener that gets the requests to the endpoint; NULL: none is seen. */
const struct config_listen *config_own_listener(
    const struct config *c, const struct config_endpoint *endpoint);

#endif
