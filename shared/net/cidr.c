#include "cidr.h"

#include <errno.h>
#include <string.h>

#define IPV4_BITS 32
#define IPV6_BITS 128
#define MAPPED_BITS (IPV6_BITS - IPV4_BITS)

static int
invalid(void)
{
	errno = EINVAL;
	return -1;
}

static unsigned
bits_of(const struct sock_host *host)
{
	return host->family == AF_INET ? IPV4_BITS : IPV6_BITS;
}

static uint8_t *
octets_of(struct sock_host *host)
{
	return host->family == AF_INET ? (uint8_t *)&host->in
				       : (uint8_t *)&host->in6;
}

/* The digits behind the slash: no sign, no blank, no leading zero. */
static int
parse_bits(const char *text, unsigned max, unsigned *bits)
{
	size_t len = strlen(text);

	if (len == 0 || len > 3 || strspn(text, "0123456789") != len ||
	    (text[0] == '0' && len > 1))
		return invalid();
	*bits = 0;
	for (; *text != '\0'; text++)
		*bits = *bits * 10 + (unsigned)(*text - '0');
	return *bits <= max ? 0 : invalid();
}

static void
clear_behind(struct sock_host *host, unsigned bits)
{
	uint8_t *octets = octets_of(host);

	for (unsigned i = 0; i < bits_of(host) / 8; i++) {
		if (bits >= 8) {
			bits -= 8;
			continue;
		}
		octets[i] &= (uint8_t)(0xff00U >> bits);
		bits = 0;
	}
}

int
cidr_parse(struct cidr *cidr, const char *text)
{
	const char *slash = strchr(text, '/');
	struct slice host = {text, strlen(text)};
	unsigned bits, most;

	memset(cidr, 0, sizeof(*cidr));
	if (strcmp(text, "unix") == 0) {
		cidr->first.family = AF_UNIX;
		return 0;
	}
	if (slash != NULL)
		host.len = (size_t)(slash - text);
	if (sock_host_parse(&cidr->first, host) == -1)
		return -1;
	bits = most = bits_of(&cidr->first);
	if (slash != NULL && parse_bits(slash + 1, most, &bits) == -1)
		return -1;
	/* A shorter prefix holds addresses that are not mapped as well. */
	if (bits >= MAPPED_BITS && sock_host_unmap(&cidr->first))
		bits -= MAPPED_BITS;
	clear_behind(&cidr->first, bits);
	cidr->bits = (uint8_t)bits;
	return 0;
}

bool
cidr_contains(const struct cidr *cidr, const struct sock_host *host)
{
	struct sock_host network = *host;

	(void)sock_host_unmap(&network);
	if (network.family != cidr->first.family)
		return false;
	switch (network.family) {
	case AF_UNIX:
		return true;
	case AF_INET:
		clear_behind(&network, cidr->bits);
		return network.in.s_addr == cidr->first.in.s_addr;
	case AF_INET6:
		clear_behind(&network, cidr->bits);
		return memcmp(&network.in6, &cidr->first.in6,
			   sizeof(network.in6)) == 0;
	default:
		return false;
	}
}

bool
cidr_any(const struct cidr *list, size_t count, const struct sock_host *host)
{
	for (size_t i = 0; i < count; i++)
		if (cidr_contains(&list[i], host))
			return true;
	return false;
}
