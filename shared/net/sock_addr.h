/*
 * sock_addr - the addresses of sockets, as text and back. Pure; both processes.
 *
 * No function resolves a name, which could block: the resolver does.
 */
#ifndef SOCK_ADDR_H
#define SOCK_ADDR_H

#include <sys/socket.h>
#include <sys/un.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "slice.h"

struct sock_addr {
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_un un;
	};
	socklen_t len;
};

/* A peer: small enough to keep for each client. */
struct sock_host {
	sa_family_t family;
	in_port_t port; /* of the peer, in network order; 0: unknown */
	union {
		struct in_addr in;
		struct in6_addr in6;
	};
};

/* "[ffff:...]:65535" and "unix:" + a path fit. */
#define SOCK_TEXT_MAX 120
#define SOCK_HOST_MAX 255

/* "host:port" taken apart; host is a name or a numeric address. */
struct sock_name {
	char host[SOCK_HOST_MAX + 1];
	uint16_t port;
};

/*
 * Takes "127.0.0.1:80", "[::1]:80", "*:80" (0.0.0.0:80; a listener may add
 * IPv6: SOCK_LISTEN_DUAL) or "unix:/path" into *addr. Anything else, a name
 * too: -1 with EINVAL.
 */
int sock_addr_parse(struct sock_addr *addr, const char *text);
/*
 * Takes "name:port" apart, an address or a syntactically valid DNS name.
 * -1 with EINVAL.
 */
int sock_name_parse(struct sock_name *name, const char *text);
/* host must be numeric, v4 or v6. -1 with EINVAL. */
int sock_addr_from_host(
    struct sock_addr *addr, const char *host, uint16_t port);

/* The port of an IP address; 0 for a unix socket. */
uint16_t sock_addr_port(const struct sock_addr *addr);
/* Of an IP address; no effect on a unix socket. */
void sock_addr_set_port(struct sock_addr *addr, uint16_t port);
bool sock_addr_equal(const struct sock_addr *a, const struct sock_addr *b);
/* A total order: unix, IPv4, IPv6, then by address and port. Below 0: a comes
 * first; 0: equal. */
int sock_addr_compare(const struct sock_addr *a, const struct sock_addr *b);
/* True for 0.0.0.0 and [::], whatever the port. */
bool sock_addr_is_any(const struct sock_addr *addr);
/* True when no two sockets can listen at both: one address is the other, or
 * stands for every address of its family at the same port. */
bool sock_addr_overlaps(const struct sock_addr *a, const struct sock_addr *b);
/* A stable 64-bit hash (FNV-1a) of family, address and port; never 0. */
uint64_t sock_addr_hash(const struct sock_addr *addr);
/* "127.0.0.1:80" into buf (SOCK_TEXT_MAX); returns buf. */
const char *sock_addr_str(const struct sock_addr *addr, char *buf);
struct sock_host sock_host_of(const struct sock_addr *addr);
/* The address of an IP host with its port. */
struct sock_addr sock_addr_of(const struct sock_host *host);
/* "127.0.0.1" or "::1", without brackets, port and zone. -1 with EINVAL. */
int sock_host_parse(struct sock_host *host, struct slice text);
/* Turns an IPv4-mapped IPv6 address, which is an IPv4 peer of a dual-stack
 * socket, into the IPv4 address. False: no such address, and host is as before.
 */
bool sock_host_unmap(struct sock_host *host);
/* The reverse, for an IPv4 host; another host is as before. */
void sock_host_map(struct sock_host *host);
/* "127.0.0.1", "::1" or "unix:" into buf (SOCK_TEXT_MAX); returns buf. */
const char *sock_host_str(const struct sock_host *host, char *buf);

#endif
