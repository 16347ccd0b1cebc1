/*
 * config_listen - which addresses a listener takes. Both processes; asks the
 * kernel for this host's addresses.
 */
#ifndef CONFIG_LISTEN_H
#define CONFIG_LISTEN_H

#include <stdbool.h>

#include "config.h"

/* True when the two can't listen at once. */
bool config_listen_overlaps(
    const struct config_listen *a, const struct config_listen *b);
/* True when a connection to the address reaches the listener. */
bool config_listen_receives(
    const struct config_listen *l, const struct sock_addr *to);
/* The same for a connection to the name `localhost`, of any family. */
bool config_listen_receives_localhost(
    const struct config_listen *l, uint16_t port);

#endif
