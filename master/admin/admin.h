/*
 * admin - the master's HTTP endpoint: /metrics (Prometheus), /api/cluster
 * (JSON), /healthz and /readyz. Read-only; everything it says comes from the
 * scoreboard and the record of deaths. Not for the public: it asks for no
 * password, so bind it to an address that only operators reach.
 */
#ifndef ADMIN_H
#define ADMIN_H

#include "instance.h"
#include "loop.h"

#define ADMIN_SESSIONS_MAX 32

struct admin;

/* Serves on fd, which stays the caller's. NULL with ENOMEM. */
struct admin *admin_new(
    struct loop *loop, const struct instance *instance, int fd);
void admin_free(struct admin *a);

#endif
