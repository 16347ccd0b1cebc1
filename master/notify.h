/*
 * notify - hears from a helper program that the program is ready. Master.
 *
 * Source: sd_notify(3): a datagram "READY=1" to the socket whose address is in
 * the environment, NOTIFY_SOCKET. redis-server sends the same datagram.
 */
#ifndef NOTIFY_H
#define NOTIFY_H

#include "loop.h"

#define NOTIFY_ADDRESS_MAX 16

struct notify {
	struct loop *loop;
	struct loop_watch watch;
	void (*on_ready)(void *arg);
	void *arg;
	char address[NOTIFY_ADDRESS_MAX]; /* for NOTIFY_SOCKET */
};

/* -1 with errno. on_ready is called for each notice. */
int notify_open(struct notify *n, struct loop *loop,
    void (*on_ready)(void *arg), void *arg);
/* May be called from on_ready, and twice. */
void notify_close(struct notify *n);

#endif
