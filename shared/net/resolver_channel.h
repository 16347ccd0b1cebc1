/*
 * resolver_channel - one channel of c-ares on our loop: its sockets, its timer,
 * and the name servers that /etc/resolv.conf listed when it was made. The
 * resolver's own; both processes.
 *
 * c-ares reads that file once (before 1.22 it can't be told to read it again),
 * and to destroy a channel fails the queries it has under way. So the resolver
 * makes another when the file has changed, and keeps the old one until it is
 * idle.
 */
#ifndef RESOLVER_CHANNEL_H
#define RESOLVER_CHANNEL_H

#include <sys/queue.h>
#include <sys/stat.h>
#include <stdbool.h>

#include <ares.h>

#include "loop.h"

struct resolver_socket;

struct resolver_channel {
	struct loop *loop;
	ares_channel ares;
	struct timer timer; /* when c-ares wants to look at its own */
	struct resolver_socket *sockets;
	unsigned asked;     /* queries whose callback is still to come */
	struct stat file;   /* /etc/resolv.conf as it was; all 0: not there */
	uint64_t looked_us; /* when we last looked at the file */
	LIST_ENTRY(resolver_channel) entry;
};

LIST_HEAD(resolver_channel_list, resolver_channel);

/* NULL with ENOMEM when c-ares can't start. */
struct resolver_channel *resolver_channel_new(struct loop *loop);
/* Fails what is under way: the callbacks come from inside. Never from inside
 * of one. */
void resolver_channel_free(struct resolver_channel *channel);

/* Has /etc/resolv.conf changed since? Looks once a second at most. */
bool resolver_channel_is_stale(struct resolver_channel *channel);

/* Asks for host's addresses of that family, AF_UNSPEC for both; fn may be
 * called from inside, and must call resolver_channel_answered(). */
void resolver_channel_ask(struct resolver_channel *channel, const char *host,
    int family, ares_addrinfo_callback fn, void *arg);
void resolver_channel_answered(struct resolver_channel *channel);

#endif
