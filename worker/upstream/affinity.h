/*
 * affinity - what ties a request to an endpoint: the key of ip_hash and
 * consistent_hash, and the sticky cookie. Pure; worker only.
 */
#ifndef AFFINITY_H
#define AFFINITY_H

#include <stdbool.h>
#include <stdint.h>

#include "config.h"
#include "fields.h"
#include "head.h"

/* What a policy may go by. */
struct affinity {
	uint64_t hash;   /* of the key; the same in every worker and instance */
	uint64_t sticky; /* the endpoint that the cookie names; 0: none */
};

/* peer: the client's address, without its port, which ip_hash goes by and
 * consistent_hash where the request does not have what it hashes on. */
void affinity_of_request(struct affinity *a,
    const struct config_service *service, const struct head *request,
    const char *peer);

/* The number by which a cookie names an endpoint, never 0. */
uint64_t affinity_number(const char *address);
/* The field (Set-Cookie) that ties a client to it. */
void affinity_add_cookie(struct fields *out,
    const struct config_service *service, uint64_t endpoint);

#endif
