/*
 * admin - the master's HTTP endpoint: /metrics (Prometheus), /api/cluster
 * (JSON), /healthz and /readyz. Read-only; all facts come from the scoreboard
 * and the record of deaths. Not for the public: the endpoint asks for no
 * password, and belongs on an address that only operators reach.
 */
#ifndef ADMIN_H
#define ADMIN_H

#include "instance.h"
#include "loop.h"

#define ADMIN_CONNECTIONS_MAX 32

struct admin;

/* Serves on fd, which stays the caller's. NULL with ENOMEM. */
struct admin *admin_new(
    struct loop *loop, const struct instance *instance, int fd);
void admin_free(struct admin *a);

#endif
