#include "sock_addr.h"

#include <arpa/inet.h>

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hash.h"

#define UNIX_PREFIX "unix:"

static int
invalid(void)
{
	errno = EINVAL;
	return -1;
}

static int
parse_port(const char *text, uint16_t *port)
{
	const char *error;
	long long n;

	/* strtonum(3) would take white space and a sign. */
	if (text[0] == '\0' || strspn(text, "0123456789") != strlen(text))
		return invalid();
	n = strtonum(text, 0, 65535, &error);
	if (error != NULL)
		return invalid();
	*port = (uint16_t)n;
	return 0;
}

static int
parse_unix(struct sock_addr *addr, const char *path)
{
	if (path[0] != '/' || strlen(path) >= sizeof(addr->un.sun_path))
		return invalid();
	memset(addr, 0, sizeof(*addr));
	addr->un.sun_family = AF_UNIX;
	memcpy(addr->un.sun_path, path, strlen(path) + 1);
	addr->len = sizeof(addr->un);
	return 0;
}

int
sock_addr_from_host(struct sock_addr *addr, const char *host, uint16_t port)
{
	memset(addr, 0, sizeof(*addr));
	if (inet_pton(AF_INET, host, &addr->in.sin_addr) == 1) {
		addr->in.sin_family = AF_INET;
		addr->in.sin_port = htons(port);
		addr->len = sizeof(addr->in);
		return 0;
	}
	if (inet_pton(AF_INET6, host, &addr->in6.sin6_addr) == 1) {
		addr->in6.sin6_family = AF_INET6;
		addr->in6.sin6_port = htons(port);
		addr->len = sizeof(addr->in6);
		return 0;
	}
	return invalid();
}

/* "host:port" or "[v6]:port" into host without brackets, and port. */
static int
split(struct sock_name *name, const char *text, bool *bracketed)
{
	const char *colon = strrchr(text, ':');
	size_t len;

	if (colon == NULL || parse_port(colon + 1, &name->port) == -1)
		return invalid();
	len = (size_t)(colon - text);
	*bracketed = len >= 2 && text[0] == '[' && text[len - 1] == ']';
	if (*bracketed) {
		text++;
		len -= 2;
	}
	if (len == 0 || len > SOCK_HOST_MAX)
		return invalid();
	memcpy(name->host, text, len);
	name->host[len] = '\0';
	return 0;
}

int
sock_addr_parse(struct sock_addr *addr, const char *text)
{
	struct sock_name name;
	bool bracketed;

	if (strncmp(text, UNIX_PREFIX, strlen(UNIX_PREFIX)) == 0)
		return parse_unix(addr, text + strlen(UNIX_PREFIX));
	if (split(&name, text, &bracketed) == -1)
		return -1;
	if (strcmp(name.host, "*") == 0 && !bracketed)
		return sock_addr_from_host(addr, "0.0.0.0", name.port);
	if (sock_addr_from_host(addr, name.host, name.port) == -1)
		return -1;
	/* "::1:80" could be read in two ways. */
	return (addr->sa.sa_family == AF_INET6) == bracketed ? 0 : invalid();
}

/* RFC 1123 section 2.1, and the underscore of containers' names. */
static bool
is_dns_name(const char *s)
{
	size_t label = 0;

	for (; *s != '\0'; s++) {
		if (*s == '.') {
			if (label == 0 || s[-1] == '-')
				return false;
			label = 0;
			continue;
		}
		if (!isalnum((unsigned char)*s) && *s != '_' &&
		    (*s != '-' || label == 0))
			return false;
		if (++label > 63)
			return false;
	}
	return s[-1] != '-';
}

int
sock_name_parse(struct sock_name *name, const char *text)
{
	struct sock_addr addr;
	bool bracketed;

	if (split(name, text, &bracketed) == -1)
		return -1;
	if (sock_addr_from_host(&addr, name->host, name->port) == 0)
		return (addr.sa.sa_family == AF_INET6) == bracketed ? 0
								    : invalid();
	if (bracketed || !is_dns_name(name->host))
		return invalid();
	/* "127.0.0.1.5" and "300.1.1.1" are mistyped addresses, not names. */
	if (strspn(name->host, "0123456789.") == strlen(name->host))
		return invalid();
	return 0;
}

uint16_t
sock_addr_port(const struct sock_addr *addr)
{
	if (addr->sa.sa_family == AF_UNIX)
		return 0;
	return ntohs(addr->sa.sa_family == AF_INET6 ? addr->in6.sin6_port
						    : addr->in.sin_port);
}

void
sock_addr_set_port(struct sock_addr *addr, uint16_t port)
{
	if (addr->sa.sa_family == AF_INET6)
		addr->in6.sin6_port = htons(port);
	else if (addr->sa.sa_family == AF_INET)
		addr->in.sin_port = htons(port);
}

/* Each number is in network order, of which memcmp(3) is the order. */
int
sock_addr_compare(const struct sock_addr *a, const struct sock_addr *b)
{
	int n = 0;

	if (a->sa.sa_family != b->sa.sa_family)
		return a->sa.sa_family < b->sa.sa_family ? -1 : 1;
	if (a->sa.sa_family == AF_UNIX)
		return strcmp(a->un.sun_path, b->un.sun_path);
	if (a->sa.sa_family == AF_INET)
		n = memcmp(
		    &a->in.sin_addr, &b->in.sin_addr, sizeof(a->in.sin_addr));
	else if (a->sa.sa_family == AF_INET6)
		n = memcmp(&a->in6.sin6_addr, &b->in6.sin6_addr,
		    sizeof(a->in6.sin6_addr));
	if (n == 0)
		n = sock_addr_port(a) - sock_addr_port(b);
	if (n == 0 && a->sa.sa_family == AF_INET6)
		n = (a->in6.sin6_scope_id > b->in6.sin6_scope_id) -
		    (a->in6.sin6_scope_id < b->in6.sin6_scope_id);
	return n;
}

bool
sock_addr_equal(const struct sock_addr *a, const struct sock_addr *b)
{
	return sock_addr_compare(a, b) == 0;
}

bool
sock_addr_is_any(const struct sock_addr *addr)
{
	if (addr->sa.sa_family == AF_INET6)
		return IN6_IS_ADDR_UNSPECIFIED(&addr->in6.sin6_addr);
	return addr->sa.sa_family == AF_INET &&
	       addr->in.sin_addr.s_addr == htonl(INADDR_ANY);
}

bool
sock_addr_overlaps(const struct sock_addr *a, const struct sock_addr *b)
{
	if (a->sa.sa_family == b->sa.sa_family &&
	    (sock_addr_is_any(a) || sock_addr_is_any(b)))
		return sock_addr_port(a) == sock_addr_port(b);
	return sock_addr_equal(a, b);
}

uint64_t
sock_addr_hash(const struct sock_addr *addr)
{
	uint64_t hash = hash_bytes(
	    HASH_START, &addr->sa.sa_family, sizeof(addr->sa.sa_family));

	switch (addr->sa.sa_family) {
	case AF_INET:
		hash = hash_bytes(hash, &addr->in.sin_addr, 4);
		hash = hash_bytes(hash, &addr->in.sin_port, 2);
		break;
	case AF_INET6:
		hash = hash_bytes(hash, &addr->in6.sin6_addr, 16);
		hash = hash_bytes(hash, &addr->in6.sin6_port, 2);
		break;
	case AF_UNIX:
		hash = hash_bytes(
		    hash, addr->un.sun_path, strlen(addr->un.sun_path));
		break;
	default:
		break;
	}
	return hash != 0 ? hash : 1;
}

struct sock_host
sock_host_of(const struct sock_addr *addr)
{
	struct sock_host host = {.family = addr->sa.sa_family};

	if (host.family == AF_INET6) {
		host.in6 = addr->in6.sin6_addr;
		host.port = addr->in6.sin6_port;
	} else if (host.family == AF_INET) {
		host.in = addr->in.sin_addr;
		host.port = addr->in.sin_port;
	}
	return host;
}

struct sock_addr
sock_addr_of(const struct sock_host *host)
{
	struct sock_addr addr;

	memset(&addr, 0, sizeof(addr));
	addr.sa.sa_family = host->family;
	if (host->family == AF_INET6) {
		addr.in6.sin6_addr = host->in6;
		addr.in6.sin6_port = host->port;
		addr.len = sizeof(addr.in6);
	} else {
		addr.in.sin_addr = host->in;
		addr.in.sin_port = host->port;
		addr.len = sizeof(addr.in);
	}
	return addr;
}

int
sock_host_parse(struct sock_host *host, struct slice text)
{
	char copy[INET6_ADDRSTRLEN];

	memset(host, 0, sizeof(*host));
	if (text.len >= sizeof(copy) || memchr(text.at, '\0', text.len) != NULL)
		return invalid();
	memcpy(copy, text.at, text.len);
	copy[text.len] = '\0';
	if (inet_pton(AF_INET, copy, &host->in) == 1)
		host->family = AF_INET;
	else if (inet_pton(AF_INET6, copy, &host->in6) == 1)
		host->family = AF_INET6;
	else
		return invalid();
	return 0;
}

bool
sock_host_unmap(struct sock_host *host)
{
	struct sock_host v4 = {.family = AF_INET, .port = host->port};

	if (host->family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&host->in6))
		return false;
	memcpy(&v4.in, &host->in6.s6_addr[12], sizeof(v4.in));
	*host = v4;
	return true;
}

void
sock_host_map(struct sock_host *host)
{
	struct sock_host v6 = {.family = AF_INET6, .port = host->port};

	if (host->family != AF_INET)
		return;
	memset(&v6.in6.s6_addr[10], 0xff, 2);
	memcpy(&v6.in6.s6_addr[12], &host->in, sizeof(host->in));
	*host = v6;
}

/* As inet_ntop(3), but quicker: each proxied request needs the text. */
static void
write_ipv4(const struct in_addr *addr, char *to)
{
	const uint8_t *bytes = (const uint8_t *)&addr->s_addr;

	for (int i = 0; i < 4; i++) {
		unsigned n = bytes[i];

		if (n >= 100)
			*to++ = (char)('0' + n / 100);
		if (n >= 10)
			*to++ = (char)('0' + n / 10 % 10);
		*to++ = (char)('0' + n % 10);
		*to++ = i < 3 ? '.' : '\0';
	}
}

const char *
sock_host_str(const struct sock_host *host, char *buf)
{
	if (host->family == AF_INET)
		write_ipv4(&host->in, buf);
	else if (host->family == AF_UNIX)
		strlcpy(buf, UNIX_PREFIX, SOCK_TEXT_MAX);
	else if (inet_ntop(AF_INET6, &host->in6, buf, SOCK_TEXT_MAX) == NULL)
		strlcpy(buf, "?", SOCK_TEXT_MAX);
	return buf;
}

const char *
sock_addr_str(const struct sock_addr *addr, char *buf)
{
	struct sock_host host = sock_host_of(addr);
	char text[SOCK_TEXT_MAX];

	switch (addr->sa.sa_family) {
	case AF_UNIX:
		snprintf(
		    buf, SOCK_TEXT_MAX, UNIX_PREFIX "%s", addr->un.sun_path);
		break;
	case AF_INET6:
		snprintf(buf, SOCK_TEXT_MAX, "[%.60s]:%u",
		    sock_host_str(&host, text), ntohs(addr->in6.sin6_port));
		break;
	default:
		snprintf(buf, SOCK_TEXT_MAX, "%.60s:%u",
		    sock_host_str(&host, text), ntohs(addr->in.sin_port));
		break;
	}
	return buf;
}
