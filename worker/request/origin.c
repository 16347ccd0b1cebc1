#include "origin.h"

#include <string.h>

/* The last elements of the list. A list of more proxies than these is nobody's
 * real one, and a stranger may send thousands of elements through a trusted
 * proxy: the work for each has to be bounded. */
#define HOPS_MAX 32

struct hops {
	struct slice nodes[HOPS_MAX]; /* the n-th element at n % HOPS_MAX */
	size_t count;
};

/* ---- one element ---- */

/* A port, or the obfuscated port of RFC 7239 section 6.2. */
static bool
is_port(struct slice text)
{
	if (text.len > 0 && text.at[0] == '_')
		return true;
	if (text.len == 0 || text.len > 5)
		return false;
	for (size_t i = 0; i < text.len; i++)
		if (text.at[i] < '0' || text.at[i] > '9')
			return false;
	return true;
}

static struct slice
from(const char *at, struct slice whole)
{
	return (struct slice){at, (size_t)(whole.at + whole.len - at)};
}

static bool
parse_bracketed(struct slice text, struct sock_host *host)
{
	const char *end = memchr(text.at, ']', text.len);
	struct slice inner, rest;

	if (end == NULL)
		return false;
	inner = (struct slice){text.at + 1, (size_t)(end - text.at - 1)};
	rest = from(end + 1, text);
	if (rest.len > 0 &&
	    (rest.at[0] != ':' || !is_port(from(end + 2, text))))
		return false;
	return sock_host_parse(host, inner) == 0 && host->family == AF_INET6;
}

/* "192.0.2.7", "192.0.2.7:80", "2001:db8::7", "[2001:db8::7]", "[...]:80". */
static bool
parse_node(struct slice text, struct sock_host *host)
{
	const char *colon;

	if (text.len >= 2 && text.at[0] == '"' && text.at[text.len - 1] == '"')
		text = (struct slice){text.at + 1, text.len - 2};
	if (text.len == 0)
		return false;
	if (text.at[0] == '[')
		return parse_bracketed(text, host);
	colon = memchr(text.at, ':', text.len);
	/* A second colon makes an IPv6 address. */
	if (colon != NULL &&
	    memchr(colon + 1, ':', from(colon + 1, text).len) == NULL) {
		if (!is_port(from(colon + 1, text)))
			return false;
		text.len = (size_t)(colon - text.at);
	}
	return sock_host_parse(host, text) == 0;
}

static void
add(struct hops *hops, struct slice node)
{
	hops->nodes[hops->count++ % HOPS_MAX] = node;
}

/* From the right, to the first address that is no trusted proxy. */
static void
find_client(struct sock_host *client, const struct hops *hops,
    const struct origin_trust *trust)
{
	for (size_t i = 1; i <= hops->count && i <= HOPS_MAX; i++) {
		struct sock_host host;

		if (!parse_node(
			hops->nodes[(hops->count - i) % HOPS_MAX], &host))
			return;
		(void)sock_host_unmap(&host);
		*client = host;
		if (!cidr_any(trust->networks, trust->count, &host))
			return;
	}
}

/* ---- the two fields ---- */

static void
read_forwarded_for(struct hops *hops, struct slice list)
{
	while (list.at != NULL) {
		struct slice element = head_next_element(&list);

		if (element.len > 0)
			add(hops, element);
	}
}

/* The end of a part that stops at a separator outside of quotes. */
static const char *
find_end(struct slice text, const char *separators)
{
	bool quoted = false;

	for (size_t i = 0; i < text.len; i++) {
		char c = text.at[i];

		if (c == '"')
			quoted = !quoted;
		else if (quoted && c == '\\')
			i++;
		else if (!quoted && strchr(separators, c) != NULL)
			return text.at + i;
	}
	return text.at + text.len;
}

/* The value of `for` in an element; at NULL: none. */
static struct slice
find_for(struct slice element)
{
	while (element.len > 0) {
		const char *end = find_end(element, ";");
		struct slice pair = head_trim(
		    (struct slice){element.at, (size_t)(end - element.at)});

		if (pair.len >= 4 &&
		    slice_is((struct slice){pair.at, 4}, "for="))
			return from(pair.at + 4, pair);
		element = end < element.at + element.len
			      ? from(end + 1, element)
			      : (struct slice){end, 0};
	}
	return (struct slice){NULL, 0};
}

static void
read_forwarded(struct hops *hops, struct slice list)
{
	while (list.len > 0) {
		const char *end = find_end(list, ",");
		struct slice element =
		    head_trim((struct slice){list.at, (size_t)(end - list.at)});

		if (element.len > 0)
			add(hops, find_for(element));
		list = end < list.at + list.len ? from(end + 1, list)
						: (struct slice){end, 0};
	}
}

static void
read_fields(
    struct hops *hops, const struct head *head, enum head_field_id field)
{
	for (size_t i = 0; i < head->field_count; i++) {
		const struct head_field *h = &head->fields[i];

		if (h->id != field)
			continue;
		if (field == FIELD_FORWARDED)
			read_forwarded(hops, h->value);
		else
			read_forwarded_for(hops, h->value);
	}
}

bool
origin_of_request(struct sock_host *client, const struct origin_trust *trust,
    const struct sock_host *peer, const struct head *head)
{
	struct hops hops;

	if (!cidr_any(trust->networks, trust->count, peer))
		return false;
	hops.count = 0;
	read_fields(&hops, head, FIELD_X_FORWARDED_FOR);
	if (hops.count == 0)
		read_fields(&hops, head, FIELD_FORWARDED);
	*client = *peer;
	find_client(client, &hops, trust);
	return true;
}
