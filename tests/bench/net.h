/*
 * net - sockets for the bench's tools: IPv4, loopback, non-blocking.
 *
 * A tool that can't get what it needs ends with one line: a bench that goes on
 * with less measures something else.
 */
#ifndef NET_H
#define NET_H

#include <netinet/in.h>
#include <stdint.h>

/* As many descriptors as the hard limit allows. */
void net_raise_limit(void);
/* "127.0.0.1:80"; ends the program on anything else. */
struct sockaddr_in net_addr(const char *text);
/* A listening socket on it, in the epoll set under data. */
int net_listen(int epoll, const struct sockaddr_in *addr, void *data);
/* A connection or -1; ends the program when descriptors have run out. */
int net_accept(int listener);
/*
 * Starts to connect; from may be NULL. Whether it worked shows when the socket
 * is used. -1 with errno.
 */
int net_connect(const struct sockaddr_in *to, const struct sockaddr_in *from);
/* Into the epoll set; ends the program if that fails. */
void net_watch(int epoll, int fd, uint32_t events, void *data);

#endif
