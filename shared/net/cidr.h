/*
 * cidr - a network of addresses as text ("10.0.0.0/8"), and whether an address
 * belongs to the network (RFC 4632, RFC 4291 section 2.3). Both processes;
 * pure.
 *
 * IPv4 and IPv6 are kept apart, and an IPv4-mapped IPv6 address
 * ("::ffff:10.0.0.1") counts as IPv4, in a network and in a host. The word
 * "unix" stands for every peer on a unix socket.
 */
#ifndef CIDR_H
#define CIDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sock.h"

struct cidr {
	struct sock_host first; /* bits behind the prefix are zero */
	uint8_t bits;           /* of the prefix */
};

/* Takes "10.0.0.0/8", "fd00::/8", "unix" or an address alone, which is a
 * network of one. Bits behind the prefix are ignored. -1 with EINVAL. */
int cidr_parse(struct cidr *cidr, const char *text);
bool cidr_contains(const struct cidr *cidr, const struct sock_host *host);
/* Whether one of the networks contains the host. */
bool cidr_any(
    const struct cidr *list, size_t count, const struct sock_host *host);

#endif
