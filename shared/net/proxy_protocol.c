#include "proxy_protocol.h"

#include <stdio.h>
#include <string.h>

#define V1_PREFIX "PROXY "
#define V1_MAX 107 /* with its CRLF */
#define V2_SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define V2_SIGNATURE_LEN 12
#define V2_HEAD 16 /* signature, command, family, length */

/* Of the command's octet. */
#define V2_VERSION 0x20
#define V2_LOCAL 0x00
#define V2_PROXY 0x01
/* Of the family's octet: address family and transport. */
#define V2_TCP4 0x11
#define V2_TCP6 0x21
#define V2_TCP4_BYTES 12
#define V2_TCP6_BYTES 36
#define V2_UNIX_BYTES 216

/* True when data begins like the prefix, as far as data goes. */
static bool
begins_like(const char *data, size_t len, const char *prefix, size_t prefix_len)
{
	return memcmp(data, prefix, len < prefix_len ? len : prefix_len) == 0;
}

/* ---- version 1 ---- */

/* Takes the next word of the line, which ends with one blank or the line. */
static bool
next_word(struct slice *line, struct slice *word)
{
	const char *blank = memchr(line->at, ' ', line->len);

	*word = *line;
	if (blank != NULL) {
		word->len = (size_t)(blank - line->at);
		line->at = blank + 1;
		line->len -= word->len + 1;
	} else {
		line->at += line->len;
		line->len = 0;
	}
	return word->len > 0;
}

static bool
parse_port(struct slice word, in_port_t *port)
{
	unsigned n = 0;

	if (word.len > 5 || (word.len > 1 && word.at[0] == '0'))
		return false;
	for (size_t i = 0; i < word.len; i++) {
		if (word.at[i] < '0' || word.at[i] > '9')
			return false;
		n = n * 10 + (unsigned)(word.at[i] - '0');
	}
	*port = htons((uint16_t)n);
	return n <= UINT16_MAX;
}

/* "192.0.2.7 198.51.100.1 4711 80", behind the family. */
static bool
parse_addresses(struct slice line, sa_family_t family, struct sock_addr *source)
{
	struct slice words[4];
	struct sock_host from, to;

	for (size_t i = 0; i < 4; i++)
		if (!next_word(&line, &words[i]))
			return false;
	if (line.len != 0 || words[3].at + words[3].len != line.at ||
	    sock_host_parse(&from, words[0]) == -1 || from.family != family ||
	    sock_host_parse(&to, words[1]) == -1 || to.family != family ||
	    !parse_port(words[2], &from.port) ||
	    !parse_port(words[3], &to.port))
		return false;
	*source = sock_addr_of(&from);
	return true;
}

static enum proxy_protocol_result
parse_v1(const char *data, size_t len, struct proxy_protocol *header)
{
	size_t max = len < V1_MAX ? len : V1_MAX;
	const char *lf = memchr(data, '\n', max);
	struct slice line, word;

	if (lf == NULL)
		return len < V1_MAX ? PROXY_PROTOCOL_MORE : PROXY_PROTOCOL_BAD;
	if (lf[-1] != '\r')
		return PROXY_PROTOCOL_BAD;
	header->len = (size_t)(lf + 1 - data);
	line.at = data + strlen(V1_PREFIX);
	line.len = (size_t)(lf - 1 - line.at);
	if (!next_word(&line, &word))
		return PROXY_PROTOCOL_BAD;
	if (word.len == 7 && memcmp(word.at, "UNKNOWN", 7) == 0)
		return PROXY_PROTOCOL_DONE;
	if (word.len != 4 || memcmp(word.at, "TCP", 3) != 0 ||
	    (word.at[3] != '4' && word.at[3] != '6'))
		return PROXY_PROTOCOL_BAD;
	header->has_source = parse_addresses(
	    line, word.at[3] == '4' ? AF_INET : AF_INET6, &header->source);
	return header->has_source ? PROXY_PROTOCOL_DONE : PROXY_PROTOCOL_BAD;
}

/* ---- version 2 ---- */

static size_t
read_uint16(const uint8_t *at)
{
	return (size_t)at[0] << 8 | at[1];
}

/* Type, length and value, over and over: the last ends with the header. */
static bool
are_tlvs(const uint8_t *at, size_t len)
{
	while (len >= 3) {
		size_t bytes = 3 + read_uint16(at + 1);

		if (bytes > len)
			return false;
		at += bytes;
		len -= bytes;
	}
	return len == 0;
}

/* The bytes that the family's addresses take; more than a header has for a
 * family that is none. */
static size_t
address_bytes(uint8_t family)
{
	if ((family & 0x0f) > 2)
		return PROXY_PROTOCOL_MAX;
	switch (family >> 4) {
	case 0:
		return 0;
	case 1:
		return V2_TCP4_BYTES;
	case 2:
		return V2_TCP6_BYTES;
	case 3:
		return V2_UNIX_BYTES;
	default:
		return PROXY_PROTOCOL_MAX;
	}
}

static void
read_source(uint8_t family, const uint8_t *at, struct proxy_protocol *header)
{
	struct sock_host from = {.family = AF_INET};

	if (family == V2_TCP4) {
		memcpy(&from.in, at, sizeof(from.in));
		memcpy(&from.port, at + 8, sizeof(from.port));
	} else if (family == V2_TCP6) {
		from.family = AF_INET6;
		memcpy(&from.in6, at, sizeof(from.in6));
		memcpy(&from.port, at + 32, sizeof(from.port));
	} else {
		return;
	}
	header->has_source = true;
	header->source = sock_addr_of(&from);
}

static enum proxy_protocol_result
parse_v2(const char *data, size_t len, struct proxy_protocol *header)
{
	const uint8_t *at = (const uint8_t *)data;
	size_t rest, addresses;

	if (len < V2_HEAD)
		return PROXY_PROTOCOL_MORE;
	rest = read_uint16(at + 14);
	if ((at[12] != (V2_VERSION | V2_LOCAL) &&
		at[12] != (V2_VERSION | V2_PROXY)) ||
	    rest > PROXY_PROTOCOL_MAX - V2_HEAD)
		return PROXY_PROTOCOL_BAD;
	addresses = address_bytes(at[13]);
	/* LOCAL may have any family, and its rest means nothing. */
	if (at[12] == (V2_VERSION | V2_PROXY) && addresses > rest)
		return PROXY_PROTOCOL_BAD;
	if (len < V2_HEAD + rest)
		return PROXY_PROTOCOL_MORE;
	header->len = V2_HEAD + rest;
	if (at[12] == (V2_VERSION | V2_LOCAL))
		return PROXY_PROTOCOL_DONE;
	/* With no known family, the rest may be addresses too. */
	if (at[13] >> 4 != 0 &&
	    !are_tlvs(at + V2_HEAD + addresses, rest - addresses))
		return PROXY_PROTOCOL_BAD;
	read_source(at[13], at + V2_HEAD, header);
	return PROXY_PROTOCOL_DONE;
}

enum proxy_protocol_result
proxy_protocol_parse(
    const char *data, size_t len, struct proxy_protocol *header)
{
	*header = (struct proxy_protocol){.len = 0};
	if (len == 0)
		return PROXY_PROTOCOL_MORE;
	if (begins_like(data, len, V1_PREFIX, strlen(V1_PREFIX)))
		return len > strlen(V1_PREFIX) ? parse_v1(data, len, header)
					       : PROXY_PROTOCOL_MORE;
	if (begins_like(data, len, V2_SIGNATURE, V2_SIGNATURE_LEN))
		return parse_v2(data, len, header);
	return PROXY_PROTOCOL_BAD;
}

/* ---- writing ---- */

/* Both of one family: IPv6 when either is. An address that is not IP becomes
 * the unspecified address of the other's family. */
static void
match_families(struct sock_host *source, struct sock_host *destination)
{
	if (destination->family != AF_INET && destination->family != AF_INET6)
		*destination = (struct sock_host){.family = source->family};
	if (source->family == destination->family)
		return;
	sock_host_map(source);
	sock_host_map(destination);
}

static size_t
write_v1(char *out, const struct sock_host *source,
    const struct sock_host *destination)
{
	char from[SOCK_TEXT_MAX], to[SOCK_TEXT_MAX];

	return (size_t)snprintf(out, PROXY_PROTOCOL_WRITE_MAX,
	    "PROXY TCP%c %.45s %.45s %u %u\r\n",
	    source->family == AF_INET ? '4' : '6', sock_host_str(source, from),
	    sock_host_str(destination, to), ntohs(source->port),
	    ntohs(destination->port));
}

static size_t
write_v2(char *out, const struct sock_host *source,
    const struct sock_host *destination)
{
	bool is_v4 = source->family == AF_INET;
	size_t bytes = is_v4 ? sizeof(source->in) : sizeof(source->in6);
	char *to = out + V2_HEAD;

	memcpy(out, V2_SIGNATURE, V2_SIGNATURE_LEN);
	out[12] = V2_VERSION | V2_PROXY;
	out[13] = is_v4 ? V2_TCP4 : V2_TCP6;
	out[14] = 0;
	out[15] = is_v4 ? V2_TCP4_BYTES : V2_TCP6_BYTES;
	memcpy(to, &source->in6, bytes);
	memcpy(to + bytes, &destination->in6, bytes);
	to += 2 * bytes;
	memcpy(to, &source->port, sizeof(source->port));
	memcpy(to + 2, &destination->port, sizeof(destination->port));
	return (size_t)(to + 4 - out);
}

size_t
proxy_protocol_write(char out[PROXY_PROTOCOL_WRITE_MAX], unsigned version,
    const struct sock_host *source, const struct sock_host *destination)
{
	struct sock_host from = *source, to = *destination;

	if (from.family != AF_INET && from.family != AF_INET6)
		return proxy_protocol_write_local(out, version);
	match_families(&from, &to);
	return version == 1 ? write_v1(out, &from, &to)
			    : write_v2(out, &from, &to);
}

size_t
proxy_protocol_write_local(char out[PROXY_PROTOCOL_WRITE_MAX], unsigned version)
{
	static const char v1[] = V1_PREFIX "UNKNOWN\r\n";
	static const char v2[] = V2_SIGNATURE "\x20\0\0";

	if (version == 1) {
		memcpy(out, v1, sizeof(v1) - 1);
		return sizeof(v1) - 1;
	}
	/* The NUL at the end is the header's last byte. */
	memcpy(out, v2, sizeof(v2));
	return sizeof(v2);
}
