#include "config_listen.h"

#include <arpa/inet.h>
#include <ifaddrs.h>

/* a has the address of b; a dual listener has every address of IPv6 too. */
static bool
includes(const struct config_listen *a, const struct config_listen *b)
{
	return sock_addr_overlaps(&a->addr, &b->addr) ||
	       (a->dual && b->addr.sa.sa_family == AF_INET6 &&
		   sock_addr_port(&a->addr) == sock_addr_port(&b->addr));
}

bool
config_listen_overlaps(
    const struct config_listen *a, const struct config_listen *b)
{
	return includes(a, b) || includes(b, a);
}

static bool
is_loopback(const struct sock_addr *a)
{
	if (a->sa.sa_family == AF_INET)
		return ntohl(a->in.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	return a->sa.sa_family == AF_INET6 &&
	       IN6_IS_ADDR_LOOPBACK(&a->in6.sin6_addr);
}

/* Whatever the port. */
static bool
is_same_host(const struct sock_addr *a, const struct sockaddr *b)
{
	const struct sockaddr_in *in = (const void *)b;
	const struct sockaddr_in6 *in6 = (const void *)b;

	if (b == NULL || a->sa.sa_family != b->sa_family)
		return false;
	if (b->sa_family == AF_INET)
		return a->in.sin_addr.s_addr == in->sin_addr.s_addr;
	return b->sa_family == AF_INET6 &&
	       IN6_ARE_ADDR_EQUAL(&a->in6.sin6_addr, &in6->sin6_addr);
}

static bool
is_of_this_host(const struct sock_addr *a)
{
	struct ifaddrs *all, *i;
	bool found;

	if (is_loopback(a))
		return true;
	if (getifaddrs(&all) == -1)
		return false;
	for (i = all; i != NULL && !is_same_host(a, i->ifa_addr);)
		i = i->ifa_next;
	found = i != NULL;
	freeifaddrs(all);
	return found;
}

/* A dual listener has the address 0.0.0.0, and takes IPv6 too. */
static bool
takes_family(const struct config_listen *l, sa_family_t family)
{
	return l->addr.sa.sa_family == family ||
	       (l->dual && family == AF_INET6);
}

/* Linux connects a client of 0.0.0.0 or [::] to the loopback address. */
bool
config_listen_receives(
    const struct config_listen *l, const struct sock_addr *to)
{
	const struct sock_addr *listener = &l->addr;

	if (!takes_family(l, to->sa.sa_family))
		return false;
	if (listener->sa.sa_family == AF_UNIX)
		return sock_addr_equal(listener, to);
	if (sock_addr_port(listener) != sock_addr_port(to))
		return false;
	if (sock_addr_is_any(to))
		return sock_addr_is_any(listener) || is_loopback(listener);
	return sock_addr_is_any(listener) ? is_of_this_host(to)
					  : is_same_host(listener, &to->sa);
}

bool
config_listen_receives_localhost(const struct config_listen *l, uint16_t port)
{
	return sock_addr_port(&l->addr) == port &&
	       (sock_addr_is_any(&l->addr) || is_loopback(&l->addr));
}
