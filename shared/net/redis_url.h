/*
 * redis_url - the place of a Redis server, as a URL. Pure; knows no client.
 */
#ifndef REDIS_URL_H
#define REDIS_URL_H

#include <stddef.h>
#include <stdint.h>

struct redis_url {
	char host[256];     /* name or numeric; "" for a unix socket */
	char path[108];     /* unix socket, or "" */
	char user[64];      /* ACL user, or "" */
	char password[256]; /* or "" */
	uint16_t port;
	unsigned db;
};

/*
 * redis://[[user]:password@]host[:port][/db] or unix:///path[?db=N].
 * -1 with EINVAL.
 */
int redis_url_parse(struct redis_url *url, const char *text);
/* "host:port" or the path, without user or password; returns buf. */
const char *redis_url_str(const struct redis_url *url, char *buf, size_t cap);

#endif
