/*
 * sock - sockets opened in one way: non-blocking, close-on-exec, TCP_NODELAY.
 * Both processes.
 */
#ifndef SOCK_H
#define SOCK_H

#include "sock_addr.h"

/* The local address of a connection. -1 with errno. */
int sock_local(int fd, struct sock_addr *addr);

enum sock_listen_flag {
	SOCK_LISTEN_REUSEPORT = 1, /* SO_REUSEPORT: a member of a group */
	/* Every address of IPv6 too, where the kernel has IPv6; addr is 0.0.0.0
	 * with a port. */
	SOCK_LISTEN_DUAL = 2,
};

/*
 * A bound, listening socket; flags: of sock_listen_flag. Without DUAL, an
 * address of IPv6 takes IPv6 alone. A stale unix socket file, without a
 * listener, is removed first. -1 with errno (EADDRINUSE ...); the caller owns
 * the descriptor.
 */
int sock_listen(const struct sock_addr *addr, unsigned flags);
/* accept4(2); the peer's address goes to *peer, IPv4 also on a dual listener.
 * -1 with errno. */
int sock_accept(int listener, struct sock_addr *peer);
/*
 * Starts to connect. The descriptor becomes writable when the outcome is known
 * (sock_error()). -1 with errno. The caller owns the descriptor.
 */
int sock_connect(const struct sock_addr *addr);
/* The same from a local address of the same family, with port 0: the kernel
 * takes a port that is free towards addr. */
int sock_connect_from(
    const struct sock_addr *source, const struct sock_addr *addr);
/* Is the IP address one of this machine's? */
bool sock_is_local(const struct sock_addr *addr);
/* The pending SO_ERROR of a socket, 0 for no error. */
int sock_error(int fd);

/* TCP keep-alive: a peer that vanished silently is noticed within 8 s, on an
 * idle connection too. No effect on a unix socket. */
void sock_keep_alive(int fd);
/* Makes close(2) reset the connection instead of ending the stream. */
void sock_reset_on_close(int fd);

#endif
