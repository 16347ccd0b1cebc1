#include "parser_target.h"

#include <arpa/inet.h>

#include <string.h>

#include "octet.h"

#define PORT_MAX 65535

/* Each `%` begins an octet, and none is NUL. */
static bool
is_well_escaped(struct slice s)
{
	const char *at = s.at, *end = s.at + s.len;

	while ((at = memchr(at, '%', (size_t)(end - at))) != NULL) {
		if (end - at < 3 || octet_hex(at[1]) < 0 ||
		    octet_hex(at[2]) < 0 || (at[1] == '0' && at[2] == '0'))
			return false;
		at += 3;
	}
	return true;
}

/* ---- host ---- */

/* Empty, or a colon with an optional port. */
static bool
is_port(const char *at, const char *end)
{
	unsigned n = 0;

	if (at < end)
		at++;
	for (; at < end && n <= PORT_MAX; at++) {
		if (!octet_is(*at, OCTET_DIGIT))
			return false;
		n = n * 10 + (unsigned)(*at - '0');
	}
	return n <= PORT_MAX;
}

/* RFC 3986 section 3.2.2. No IPvFuture is in use. */
static bool
is_bracketed_ipv6(struct slice s)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr addr;

	if (s.len < 2 || s.len - 2 >= sizeof(text) || s.at[s.len - 1] != ']')
		return false;
	memcpy(text, s.at + 1, s.len - 2);
	text[s.len - 2] = '\0';
	return strlen(text) == s.len - 2 &&
	       inet_pton(AF_INET6, text, &addr) == 1;
}

static bool
is_escaped_reg_name(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!octet_is(s.at[i], OCTET_HOST) && s.at[i] != '%')
			return false;
	return is_well_escaped(s);
}

/* The first byte outside a name, or end. A comma is outside, though a reg-name
 * allows commas. A proxy on the way may have joined two Hosts (RFC 9110 section
 * 5.2). No host in use has a comma. */
static const char *
skip_name(const char *at, const char *end)
{
	return octet_skip(at, end, OCTET_HOST);
}

bool
parser_target_is_host(struct slice host)
{
	const char *end = host.at + host.len;
	const char *at = skip_name(host.at, end);
	struct slice name;

	/* An escape or a bracket: rare. */
	if (at < end && *at != ':') {
		const char *start = host.at[0] == '['
					? memchr(host.at, ']', host.len)
					: host.at;

		if (start == NULL)
			return false;
		at = memchr(start, ':', (size_t)(end - start));
		if (at == NULL)
			at = end;
		name = (struct slice){host.at, (size_t)(at - host.at)};
		if (!(name.at[0] == '[' ? is_bracketed_ipv6(name)
					: is_escaped_reg_name(name)))
			return false;
	}
	return at > host.at && is_port(at, end);
}

/* ---- target ---- */

/* The length of "http://" or "https://"; 0: neither. */
static size_t
scheme_len(struct slice uri)
{
	static const char *const schemes[] = {"http://", "https://"};

	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		size_t len = strlen(schemes[i]);

		if (uri.len > len && octet_same(uri.at, schemes[i], len))
			return len;
	}
	return 0;
}

/* A path must begin with a slash, and be one piece. The space behind the target
 * was read already and makes room for the slash. */
static void
insert_slash(struct head *head)
{
	char *query = (char *)(uintptr_t)head->path.at;

	memmove(query + 1, query, head->path.len);
	*query = '/';
	head->query.at++;
	head->path.len++;
	head->target.len++;
}

/* RFC 9112 section 3.2.2. The URI's authority takes the place of Host's. */
static enum parser_error
check_absolute(struct head *head)
{
	const char *end = head->target.at + head->target.len;
	size_t skip = scheme_len(head->target);
	const char *at = head->target.at + skip;

	if (skip == 0)
		return PARSER_TARGET;
	head->host.at = at;
	while (at < end && *at != '/' && *at != '?')
		at++;
	head->host.len = (size_t)(at - head->host.at);
	if (!parser_target_is_host(head->host))
		return PARSER_TARGET;
	head->path = (struct slice){at, (size_t)(end - at)};
	if (head->path.len == 0)
		/* Section 3.2.4: the server as a whole. */
		head->path =
		    (struct slice){head->method == HTTP_OPTIONS ? "*" : "/", 1};
	else if (*at == '?')
		insert_slash(head);
	return PARSER_NONE;
}

enum parser_error
parser_target_check(struct head *head)
{
	struct slice t = head->target;

	if (t.len == 0)
		return PARSER_TARGET;
	if (head->query.at != NULL && path_has_nul(head->query))
		return PARSER_NUL;
	head->path = t;
	if (t.at[0] == '/')
		return PARSER_NONE;
	if (t.len == 1 && t.at[0] == '*')
		return head->method == HTTP_OPTIONS ? PARSER_NONE
						    : PARSER_TARGET;
	return check_absolute(head);
}

enum parser_error
parser_target_normalise(
    struct head *head, const struct path_rules *rules, char *room)
{
	enum parser_error error;
	size_t len;

	/* The `*` of OPTIONS is no path. */
	if (head->path.at[0] != '/')
		return PARSER_NONE;
	error = path_normalise(rules, head_path_only(head), room, &len);
	if (error != PARSER_NONE)
		return error;
	head->path.at = room;
	head->path.len = len;
	if (head->query.at != NULL) {
		room[len++] = '?';
		memcpy(room + len, head->query.at, head->query.len);
		head->query.at = room + len;
		head->path.len = len + head->query.len;
	}
	return PARSER_NONE;
}
