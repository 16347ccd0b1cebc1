#include "sock.h"

#include <sys/stat.h>

#include <netinet/tcp.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define BACKLOG 4096

int
sock_local(int fd, struct sock_addr *addr)
{
	memset(addr, 0, sizeof(*addr));
	addr->len = sizeof(*addr) - sizeof(addr->len);
	return getsockname(fd, &addr->sa, &addr->len);
}

static int
close_keeping_errno(int fd)
{
	int saved = errno;

	close(fd);
	errno = saved;
	return -1;
}

static int
open_stream(const struct sock_addr *addr)
{
	int fd, on = 1;

	fd = socket(
	    addr->sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	/* An accepted socket inherits the option from the listener. */
	if (fd != -1 && addr->sa.sa_family != AF_UNIX &&
	    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == -1)
		return close_keeping_errno(fd);
	return fd;
}

/* bind(2) never reuses a socket's file: remove the file if nobody listens. */
static void
remove_stale(const struct sock_addr *addr)
{
	struct stat st;
	int fd;

	if (stat(addr->un.sun_path, &st) == -1 || !S_ISSOCK(st.st_mode))
		return;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return;
	if (connect(fd, &addr->sa, addr->len) == -1 && errno == ECONNREFUSED)
		unlink(addr->un.sun_path);
	close(fd);
}

static int
listen_at(const struct sock_addr *addr, unsigned flags)
{
	int fd = open_stream(addr), on = 1;
	int v6only = (flags & SOCK_LISTEN_DUAL) == 0;

	if (fd == -1)
		return -1;
	if (addr->sa.sa_family == AF_UNIX)
		remove_stale(addr);
	else if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ==
		 -1)
		return close_keeping_errno(fd);
	if ((flags & SOCK_LISTEN_REUSEPORT) != 0 &&
	    addr->sa.sa_family != AF_UNIX &&
	    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) == -1)
		return close_keeping_errno(fd);
	/* Said in either case: the kernel's default is the host's setting. */
	if (addr->sa.sa_family == AF_INET6 &&
	    setsockopt(
		fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, sizeof(v6only)) == -1)
		return close_keeping_errno(fd);
	if (bind(fd, &addr->sa, addr->len) == -1 || listen(fd, BACKLOG) == -1)
		return close_keeping_errno(fd);
	return fd;
}

int
sock_listen(const struct sock_addr *addr, unsigned flags)
{
	struct sock_addr every;
	int fd;

	if ((flags & SOCK_LISTEN_DUAL) == 0)
		return listen_at(addr, flags);
	(void)sock_addr_from_host(&every, "::", sock_addr_port(addr));
	fd = listen_at(&every, flags);
	/* A kernel without IPv6, or a host that has switched IPv6 off. */
	if (fd == -1 && (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL))
		return listen_at(addr, flags);
	return fd;
}

/* On a dual listener a client of IPv4 comes as ::ffff:a.b.c.d. */
static void
unmap(struct sock_addr *addr)
{
	struct sockaddr_in in = {.sin_family = AF_INET};

	if (addr->sa.sa_family != AF_INET6 ||
	    !IN6_IS_ADDR_V4MAPPED(&addr->in6.sin6_addr))
		return;
	in.sin_port = addr->in6.sin6_port;
	memcpy(&in.sin_addr, &addr->in6.sin6_addr.s6_addr[12],
	    sizeof(in.sin_addr));
	addr->in = in;
	addr->len = sizeof(addr->in);
}

int
sock_accept(int listener, struct sock_addr *peer)
{
	int fd;

	memset(peer, 0, sizeof(*peer));
	peer->len = sizeof(*peer) - sizeof(peer->len);
	fd = accept4(
	    listener, &peer->sa, &peer->len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd != -1)
		unmap(peer);
	return fd;
}

static int
connect_socket(int fd, const struct sock_addr *addr)
{
	if (connect(fd, &addr->sa, addr->len) == -1 && errno != EINPROGRESS)
		return close_keeping_errno(fd);
	return fd;
}

/* Does the host have an address to connect from? The kernel's error is the same
 * when there is none (no IPv6, say) and when all ports are in use. UDP has
 * ports of its own, and a connect(2) sends nothing. */
static bool
has_local_address(const struct sock_addr *addr)
{
	int fd = socket(addr->sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool has;

	if (fd == -1)
		return true;
	has = connect(fd, &addr->sa, addr->len) == 0;
	close(fd);
	return has;
}

int
sock_connect(const struct sock_addr *addr)
{
	int fd = open_stream(addr);

	if (fd == -1)
		return -1;
	fd = connect_socket(fd, addr);
	if (fd == -1 && errno == EADDRNOTAVAIL)
		errno = has_local_address(addr) ? EADDRNOTAVAIL : ENETUNREACH;
	return fd;
}

int
sock_connect_from(const struct sock_addr *source, const struct sock_addr *addr)
{
	int fd = open_stream(addr), on = 1;

	if (fd == -1)
		return -1;
	/* Without the option bind(2) would take a port that no other connection
	 * has, whatever its destination. */
	if (setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on,
		sizeof(on)) == -1 ||
	    bind(fd, &source->sa, source->len) == -1)
		return close_keeping_errno(fd);
	return connect_socket(fd, addr);
}

bool
sock_is_local(const struct sock_addr *addr)
{
	int fd = socket(addr->sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool is_local;

	if (fd == -1)
		return false;
	is_local = bind(fd, &addr->sa, addr->len) == 0;
	close(fd);
	return is_local;
}

int
sock_error(int fd)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == -1)
		return errno;
	return error;
}

void
sock_keep_alive(int fd)
{
	int on = 1, idle_s = 5, interval_s = 1, probes = 3;

	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	(void)setsockopt(
	    fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof(idle_s));
	(void)setsockopt(
	    fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s, sizeof(interval_s));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof(probes));
}

void
sock_reset_on_close(int fd)
{
	struct linger now = {.l_onoff = 1, .l_linger = 0};

	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}
