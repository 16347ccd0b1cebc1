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

#endif
