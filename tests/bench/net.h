/*
 * net - sockets for the bench's tools: IPv4, loopback, non-blocking. A failing
 * tool ends with one line: a bench with fewer resources would measure something
 * else.
 */
#ifndef NET_H
#define NET_H

#include <netinet/in.h>
#include <stdint.h>

/* As many descriptors as the hard limit allows. */
void net_raise_limit(void);
/* "127.0.0.1:80"; ends the program on anything else. */
struct sockaddr_in net_addr(const char *text);
/* A listening socket on addr, in the epoll set under data. */
int net_listen(int epoll, const struct sockaddr_in *addr, void *data);
/* A connection or -1; ends the program when descriptors have run out. */
int net_accept(int listener);
/*
 * Starts to connect; from may be NULL. The result shows at the first use of the
 * socket. -1 with errno.
 */
int net_connect(const struct sockaddr_in *to, const struct sockaddr_in *from);
/* Adds fd to the epoll set; ends the program on failure. */
void net_watch(int epoll, int fd, uint32_t events, void *data);

#endif
