/*
 * address_set - the addresses of a name: sorted, each once, and cut to a limit.
 * Pure; worker only.
 *
 * A cut keeps the lowest addresses, IPv4 before IPv6. Hence the choice depends
 * on the addresses alone: every worker and every instance makes the same
 * choice, whatever the order of an answer of DNS.
 */
#ifndef ADDRESS_SET_H
#define ADDRESS_SET_H

#include <stdbool.h>
#include <stddef.h>

#include "sock.h"

struct address_set_member {
	struct sock_addr addr;
	bool taken; /* by address_set_take() */
};

/* Open (addresses may be added) until address_set_close(). */
struct address_set {
	struct address_set_member *members;
	size_t count;
	size_t cap;
	size_t whole; /* the count before the cut */
};

/* For at most cap addresses. -1 with ENOMEM. */
int address_set_init(struct address_set *set, size_t cap);
void address_set_fini(struct address_set *set);
/* A repeated address may be added, and counts once. */
void address_set_add(struct address_set *set, const struct sock_addr *addr);
/* Sorts, drops repetitions, and keeps at most limit addresses. */
void address_set_close(struct address_set *set, size_t limit);
/* True when the closed set has the address, and marks the member as taken. */
bool address_set_take(struct address_set *set, const struct sock_addr *addr);

#endif
