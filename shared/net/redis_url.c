#include "redis_url.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "octet.h"
#include "sock.h"

#define TCP_PREFIX "redis://"
#define UNIX_PREFIX "unix://"
#define PORT_DEFAULT "6379"
#define DB_MAX 65535

static int
invalid(void)
{
	errno = EINVAL;
	return -1;
}

/* Percent-decodes (RFC 3986 section 2.1) len bytes into to, with a NUL. */
static int
decode(char *to, size_t cap, const char *from, size_t len)
{
	const char *end = from + len;
	int high, low;

	while (from < end) {
		if (cap-- <= 1)
			return invalid();
		if (*from != '%') {
			*to++ = *from++;
			continue;
		}
		high = end - from > 2 ? octet_hex(from[1]) : -1;
		low = end - from > 2 ? octet_hex(from[2]) : -1;
		if (high == -1 || low == -1 || high + low == 0)
			return invalid();
		*to++ = (char)(high * 16 + low);
		from += 3;
	}
	*to = '\0';
	return 0;
}

static int
parse_db(struct redis_url *url, const char *text)
{
	size_t len = strspn(text, "0123456789");
	unsigned db = 0;

	if (len == 0 || len > 5 || text[len] != '\0')
		return invalid();
	while (*text != '\0')
		db = db * 10 + (unsigned)(*text++ - '0');
	if (db > DB_MAX)
		return invalid();
	url->db = db;
	return 0;
}

/* [user]:password */
static int
parse_user(struct redis_url *url, const char *at, size_t len)
{
	const char *colon = memchr(at, ':', len);
	size_t user_len;

	if (colon == NULL)
		return invalid();
	user_len = (size_t)(colon - at);
	if (decode(url->user, sizeof(url->user), at, user_len) == -1)
		return -1;
	return decode(url->password, sizeof(url->password), colon + 1,
	    len - user_len - 1);
}

/* host[:port]; host is a name, an IPv4 address or [an IPv6 address]. */
static int
parse_host(struct redis_url *url, const char *at, size_t len)
{
	char text[SOCK_HOST_MAX + sizeof("[]:65535")];
	struct sock_name name;
	const char *colon = memrchr(at, ':', len);
	bool has_port = colon != NULL &&
			memchr(colon, ']', (size_t)(at + len - colon)) == NULL;

	if (len + sizeof(":" PORT_DEFAULT) > sizeof(text))
		return invalid();
	snprintf(text, sizeof(text), "%.*s%s", (int)len, at,
	    has_port ? "" : ":" PORT_DEFAULT);
	if (sock_name_parse(&name, text) == -1 || name.port == 0)
		return invalid();
	memcpy(url->host, name.host, strlen(name.host) + 1);
	url->port = name.port;
	return 0;
}

/* [[user]:password@]host[:port][/db] */
static int
parse_tcp(struct redis_url *url, const char *text)
{
	size_t len = strcspn(text, "/?#");
	const char *rest = text + len, *at = memrchr(text, '@', len);

	if (at != NULL) {
		if (parse_user(url, text, (size_t)(at - text)) == -1)
			return -1;
		len -= (size_t)(at + 1 - text);
		text = at + 1;
	}
	if (parse_host(url, text, len) == -1)
		return -1;
	if (rest[0] == '\0' || strcmp(rest, "/") == 0)
		return 0;
	return rest[0] == '/' ? parse_db(url, rest + 1) : invalid();
}

/* /path[?db=N] */
static int
parse_unix(struct redis_url *url, const char *text)
{
	size_t len = strcspn(text, "?#");

	if (text[0] != '/' || len == 1 ||
	    decode(url->path, sizeof(url->path), text, len) == -1)
		return invalid();
	if (text[len] == '\0')
		return 0;
	if (strncmp(text + len, "?db=", 4) != 0)
		return invalid();
	return parse_db(url, text + len + 4);
}

int
redis_url_parse(struct redis_url *url, const char *text)
{
	memset(url, 0, sizeof(*url));
	if (strncmp(text, TCP_PREFIX, strlen(TCP_PREFIX)) == 0)
		return parse_tcp(url, text + strlen(TCP_PREFIX));
	if (strncmp(text, UNIX_PREFIX, strlen(UNIX_PREFIX)) == 0)
		return parse_unix(url, text + strlen(UNIX_PREFIX));
	return invalid();
}

const char *
redis_url_str(const struct redis_url *url, char *buf, size_t cap)
{
	if (url->path[0] != '\0')
		snprintf(buf, cap, "%s", url->path);
	else if (strchr(url->host, ':') != NULL)
		snprintf(buf, cap, "[%s]:%u", url->host, url->port);
	else
		snprintf(buf, cap, "%s:%u", url->host, url->port);
	return buf;
}
