/*
 * origin - the client behind a chain of proxies. Pure; worker only.
 *
 * Each proxy appends its peer's address to X-Forwarded-For, so the right end is
 * the word of the nearest proxy, and the left end is anybody's. From a trusted
 * peer the list is read from the right: the first address that is no trusted
 * proxy is the client's. Where all are trusted, the leftmost address is, of the
 * last 32. An
 * element that is no address ("unknown", a name, garbage) ends the list: the
 * address to its right stands, or the peer's. Elements may carry a port and
 * IPv6 may stand in brackets; empty elements do not count.
 *
 * Without an element in X-Forwarded-For, the `for` of Forwarded (RFC 7239
 * section 5.2) is read in the same way.
 */
#ifndef ORIGIN_H
#define ORIGIN_H

#include <stdbool.h>
#include <stddef.h>

#include "cidr.h"
#include "head.h"
#include "sock.h"

/* The networks of the trusted proxies. */
struct origin_trust {
	const struct cidr *networks;
	size_t count;
};

/* True for a trusted peer; then *client is the client's address. False for any
 * other peer, whose fields prove nothing. */
bool origin_of_request(struct sock_host *client,
    const struct origin_trust *trust, const struct sock_host *peer,
    const struct head *head);

#endif
