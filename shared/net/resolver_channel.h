/*
 * resolver_channel - one channel of c-ares on our loop. A channel has sockets,
 * a timer, and the name servers of /etc/resolv.conf at the time of its
 * creation. Both processes; used by the resolver alone.
 *
 * c-ares reads the file once (before 1.22 without a way to read again), and
 * destroying a channel fails the queries under way. After a change of the file
 * the resolver makes another channel, and keeps the old one until idle.
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
	struct timer timer; /* the next timeout of c-ares */
	struct resolver_socket *sockets;
	unsigned asked;     /* unanswered queries */
	struct stat file;   /* /etc/resolv.conf at creation; all 0: missing */
	uint64_t looked_us; /* time of the last look at the file */
	LIST_ENTRY(resolver_channel) entry;
};

LIST_HEAD(resolver_channel_list, resolver_channel);

/* NULL with ENOMEM when c-ares can't start. */
struct resolver_channel *resolver_channel_new(struct loop *loop);
/* Fails the queries under way, by callbacks from inside. Not to be called from
 * a callback. */
void resolver_channel_free(struct resolver_channel *channel);

/* True when /etc/resolv.conf has changed. Looks once a second at most. */
bool resolver_channel_is_stale(struct resolver_channel *channel);

struct resolver_channel_question {
	const char *host;
	int family; /* AF_UNSPEC: IPv4 and IPv6 */
	int flags;  /* ARES_AI_... */
};

/* fn may be called from inside, and must call resolver_channel_answered(). */
void resolver_channel_ask(struct resolver_channel *channel,
    const struct resolver_channel_question *question, ares_addrinfo_callback fn,
    void *arg);
void resolver_channel_answered(struct resolver_channel *channel);

#endif
