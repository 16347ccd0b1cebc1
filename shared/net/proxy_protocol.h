/*
 * proxy_protocol - the header of the PROXY protocol, versions 1 and 2, ahead of
 * a connection's first byte: whom the connection is for. Both processes; pure.
 *
 * A reader takes the source address alone. LOCAL, UNKNOWN and families other
 * than TCP over IPv4 and IPv6 name no source: the connection's own address
 * stands. TLVs have to fit into the header and are skipped. A header longer
 * than PROXY_PROTOCOL_MAX is refused.
 *
 * Source: https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt
 */
#ifndef PROXY_PROTOCOL_H
#define PROXY_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>

#include "sock.h"

#define PROXY_PROTOCOL_MAX 4096
#define PROXY_PROTOCOL_WRITE_MAX 108 /* and the NUL of version 1 */

enum proxy_protocol_result {
	PROXY_PROTOCOL_MORE, /* so far right, and not whole */
	PROXY_PROTOCOL_DONE,
	PROXY_PROTOCOL_BAD,
};

struct proxy_protocol {
	size_t len; /* of the header */
	bool has_source;
	struct sock_addr source;
};

/* data: all bytes of the connection so far. With DONE, *header is set. */
enum proxy_protocol_result proxy_protocol_parse(
    const char *data, size_t len, struct proxy_protocol *header);

/* Writes the header of version 1 or 2 for a connection from source to
 * destination. Returns its length. A source without an IP address is written as
 * proxy_protocol_write_local(). */
size_t proxy_protocol_write(char out[PROXY_PROTOCOL_WRITE_MAX],
    unsigned version, const struct sock_host *source,
    const struct sock_host *destination);
/* The connection is for nobody else (LOCAL, or UNKNOWN in version 1). */
size_t proxy_protocol_write_local(
    char out[PROXY_PROTOCOL_WRITE_MAX], unsigned version);

#endif
