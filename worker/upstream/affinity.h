/*
 * affinity - the tie between a request and an endpoint. A tie is the key of
 * ip_hash and consistent_hash, or the sticky cookie. Pure; worker only.
 */
#ifndef AFFINITY_H
#define AFFINITY_H

#include <stdbool.h>
#include <stdint.h>

#include "config.h"
#include "fields.h"
#include "head.h"

/* The facts for a choice. */
struct affinity {
	uint64_t hash;   /* of the key; the same in every worker and instance */
	uint64_t sticky; /* number of the endpoint in the cookie; 0: none */
};

/* client: the client's address, without a port. ip_hash uses the address;
 * consistent_hash too, when the request lacks the configured key. */
void affinity_of_request(struct affinity *a,
    const struct config_service *service, const struct head *request,
    const char *client);

/* The number of an endpoint, for the cookie and the ring; never 0. */
uint64_t affinity_number(const char *address);
/* The field (Set-Cookie) that ties a client to it. */
void affinity_add_cookie(struct fields *out,
    const struct config_service *service, uint64_t endpoint);

#endif
