#include "origin.h"

#include <string.h>

/* The addresses so far, from the left. The list is read once, to the right, and
 * a later element overrules an earlier element as far as its place does. */
enum seen {
	SEEN_NONE,    /* none behind the last element that is no address */
	SEEN_TRUSTED, /* only trusted proxies; the leftmost is kept */
	SEEN_CLIENT,  /* an address of others; the last such is kept */
};

struct walk {
	const struct origin_trust *trust;
	struct sock_host client;
	enum seen seen;
	bool has_elements;
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
step(struct walk *w, struct slice node)
{
	struct sock_host host;

	w->has_elements = true;
	if (!parse_node(node, &host)) {
		w->seen = SEEN_NONE;
		return;
	}
	(void)sock_host_unmap(&host);
	if (!cidr_any(w->trust->networks, w->trust->count, &host))
		w->seen = SEEN_CLIENT;
	else if (w->seen == SEEN_NONE)
		w->seen = SEEN_TRUSTED;
	else
		return;
	w->client = host;
}

/* ---- the two fields ---- */

static void
walk_forwarded_for(struct walk *w, struct slice list)
{
	while (list.at != NULL) {
		struct slice element = head_next_element(&list);

		if (element.len > 0)
			step(w, element);
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
walk_forwarded(struct walk *w, struct slice list)
{
	while (list.len > 0) {
		const char *end = find_end(list, ",");
		struct slice element =
		    head_trim((struct slice){list.at, (size_t)(end - list.at)});

		if (element.len > 0)
			step(w, find_for(element));
		list = end < list.at + list.len ? from(end + 1, list)
						: (struct slice){end, 0};
	}
}

static void
walk_fields(struct walk *w, const struct head *head, enum head_field_id field)
{
	for (size_t i = 0; i < head->field_count; i++) {
		const struct head_field *h = &head->fields[i];

		if (h->id != field)
			continue;
		if (field == FIELD_FORWARDED)
			walk_forwarded(w, h->value);
		else
			walk_forwarded_for(w, h->value);
	}
}

bool
origin_of_request(struct sock_host *client, const struct origin_trust *trust,
    const struct sock_host *peer, const struct head *head)
{
	struct walk w = {.trust = trust, .seen = SEEN_NONE};

	if (!cidr_any(trust->networks, trust->count, peer))
		return false;
	walk_fields(&w, head, FIELD_X_FORWARDED_FOR);
	if (!w.has_elements)
		walk_fields(&w, head, FIELD_FORWARDED);
	*client = w.seen == SEEN_NONE ? *peer : w.client;
	return true;
}
