#include "head.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "octet.h"

/* Name, first letter, class. No two names are alike in length and first letter.
 * So a name is compared with at most one row, and most names with none. One
 * pair is alike, and stands in the switch below. */
#define KNOWN_FIELDS(X)                                                        \
	X("te", 't', FIELD_TE)                                                 \
	X("via", 'v', FIELD_VIA)                                               \
	X("date", 'd', FIELD_DATE)                                             \
	X("host", 'h', FIELD_HOST)                                             \
	X("cookie", 'c', FIELD_COOKIE)                                         \
	X("expect", 'e', FIELD_EXPECT)                                         \
	X("trailer", 't', FIELD_TRAILER)                                       \
	X("upgrade", 'u', FIELD_UPGRADE)                                       \
	X("x-real-ip", 'x', FIELD_X_REAL_IP)                                   \
	X("connection", 'c', FIELD_CONNECTION)                                 \
	X("forwarded", 'f', FIELD_FORWARDED)                                   \
	X("keep-alive", 'k', FIELD_KEEP_ALIVE)                                 \
	X("tracestate", 't', FIELD_TRACESTATE)                                 \
	X("traceparent", 't', FIELD_TRACEPARENT)                               \
	X("max-forwards", 'm', FIELD_MAX_FORWARDS)                             \
	X("x-request-id", 'x', FIELD_X_REQUEST_ID)                             \
	X("content-length", 'c', FIELD_CONTENT_LENGTH)                         \
	X("http2-settings", 'h', FIELD_HOP_BY_HOP)                             \
	X("x-forwarded-for", 'x', FIELD_X_FORWARDED_FOR)                       \
	X("proxy-connection", 'p', FIELD_HOP_BY_HOP)                           \
	X("transfer-encoding", 't', FIELD_TRANSFER_ENCODING)                   \
	X("x-forwarded-proto", 'x', FIELD_X_FORWARDED_PROTO)                   \
	X("x-forwarded-prefix", 'x', FIELD_X_FORWARDED)                        \
	X("proxy-authenticate", 'p', FIELD_HOP_BY_HOP)                         \
	X("proxy-authorization", 'p', FIELD_HOP_BY_HOP)

#define KEY(len, first) ((unsigned)(len) << 8 | (unsigned)(first))

enum head_field_id
head_field_id_of(struct slice name)
{
	const char *known;
	enum head_field_id field;

	/* A name is never empty, and a longer name is not in the table. */
	if (name.len > sizeof("proxy-authorization") - 1)
		return FIELD_OTHER;
	switch (KEY(name.len, (uint8_t)(name.at[0] | 0x20))) {
#define X(text, first, which)                                                  \
	case KEY(sizeof(text) - 1, first):                                     \
		known = text;                                                  \
		field = which;                                                 \
		break;
		KNOWN_FIELDS(X)
#undef X
	case KEY(sizeof("x-forwarded-host") - 1, 'x'):
		known = (name.at[sizeof("x-forwarded-") - 1] | 0x20) == 'h'
			    ? "x-forwarded-host"
			    : "x-forwarded-port";
		field = FIELD_X_FORWARDED;
		break;
	default:
		return FIELD_OTHER;
	}
	if (octet_same(name.at, known, name.len))
		return field;
	return octet_same_variable(name.at, known, name.len) ? FIELD_SHADOW
							     : FIELD_OTHER;
}

int
head_grow(struct head *h, size_t count)
{
	struct head_field *old = h->fields != h->few ? h->fields : NULL;
	struct head_field *fields = realloc(old, 2 * count * sizeof(*fields));

	if (fields == NULL)
		return -1;
	if (old == NULL)
		memcpy(fields, h->few, count * sizeof(*fields));
	h->fields = fields;
	return 0;
}

void
head_free_table(struct head *h)
{
	free(h->fields);
	h->fields = h->few;
	h->field_count = 0;
}

/* ---- values ---- */

/* Ignores the case of letters. */
static uint32_t
hash_name(struct slice name)
{
	uint32_t hash = 2166136261U;

	for (size_t i = 0; i < name.len; i++)
		hash = (hash ^ (uint8_t)(name.at[i] | 0x20)) * 16777619U;
	return hash;
}

void
head_nominate(struct head *h, struct slice name)
{
	if (h->nominated_count < HEAD_NOMINATED_MAX)
		h->nominated[h->nominated_count] = hash_name(name);
	h->nominated_count++;
}

bool
head_nominates(const struct head *h, struct slice name)
{
	uint32_t hash = hash_name(name);

	if (h->nominated_count > HEAD_NOMINATED_MAX)
		return true;
	for (unsigned i = 0; i < h->nominated_count; i++)
		if (h->nominated[i] == hash)
			return true;
	return false;
}

struct slice
head_next_element(struct slice *list)
{
	struct slice element = *list;
	const char *comma;

	if (list->at == NULL)
		return element;
	comma = memchr(list->at, ',', list->len);
	if (comma != NULL) {
		element.len = (size_t)(comma - list->at);
		list->len -= element.len + 1;
		list->at = comma + 1;
	} else {
		list->at = NULL;
	}
	return head_trim(element);
}

/* token ["/" token] (RFC 9110 section 7.8). */
bool
head_is_protocol(struct slice what)
{
	static const char *const names[] = {"http", "h2", "h2c"};
	const char *end = what.at + what.len;
	const char *stop = octet_skip(what.at, end, OCTET_TOKEN);
	struct slice name = {what.at, (size_t)(stop - what.at)};

	if (name.len == 0)
		return false;
	if (stop < end && (*stop != '/' || stop + 1 == end ||
			      octet_skip(stop + 1, end, OCTET_TOKEN) != end))
		return false;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (slice_is(name, names[i]))
			return false;
	return name.len < 4 || strncasecmp(name.at, "h2c-", 4) != 0;
}

struct slice
head_value(const struct head *h, const char *name)
{
	for (size_t i = 0; i < h->field_count; i++)
		if (slice_is(h->fields[i].name, name))
			return h->fields[i].value;
	return (struct slice){NULL, 0};
}

/* An element of Via: protocol, name, and maybe a comment. */
static bool
is_own_hop(struct slice via)
{
	const char *end = via.at + via.len, *at = via.at;
	struct slice name;

	while (at < end && !octet_is_blank(*at))
		at++;
	while (at < end && octet_is_blank(*at))
		at++;
	name.at = at;
	while (at < end && !octet_is_blank(*at))
		at++;
	name.len = (size_t)(at - name.at);
	return slice_is(name, HEAD_OWN_NAME);
}

unsigned
head_own_hops(const struct head *h)
{
	struct slice list, via;
	unsigned count = 0;

	for (size_t i = 0; i < h->field_count; i++) {
		if (h->fields[i].id != FIELD_VIA)
			continue;
		list = h->fields[i].value;
		while ((via = head_next_element(&list)).at != NULL)
			count += is_own_hop(via);
	}
	return count;
}

/* RFC 6265 section 4.2.1. */
static struct slice
find_cookie(struct slice cookies, struct slice name)
{
	const char *at = cookies.at, *end = at + cookies.len;

	while (at < end) {
		const char *stop = memchr(at, ';', (size_t)(end - at));
		size_t len = (size_t)((stop != NULL ? stop : end) - at);

		if (len > name.len && at[name.len] == '=' &&
		    memcmp(at, name.at, name.len) == 0)
			return (struct slice){
			    at + name.len + 1, len - name.len - 1};
		at = stop != NULL ? stop + 1 : end;
		while (at < end && octet_is_blank(*at))
			at++;
	}
	return (struct slice){NULL, 0};
}

struct slice
head_cookie(const struct head *h, const char *name)
{
	struct slice wanted = {name, strlen(name)};
	struct slice value = {NULL, 0};

	for (size_t i = 0; i < h->field_count && value.at == NULL; i++)
		if (h->fields[i].id == FIELD_COOKIE)
			value = find_cookie(h->fields[i].value, wanted);
	return value;
}

struct slice
head_query(const struct head *h, const char *name)
{
	const char *at = h->query.at;
	const char *end = at != NULL ? at + h->query.len : NULL;
	size_t name_len = strlen(name);

	while (at != NULL) {
		const char *next;
		size_t len;

		next = memchr(at, '&', (size_t)(end - at));
		len = (size_t)((next != NULL ? next : end) - at);
		if (len > name_len && at[name_len] == '=' &&
		    memcmp(at, name, name_len) == 0)
			return (struct slice){
			    at + name_len + 1, len - name_len - 1};
		at = next != NULL ? next + 1 : NULL;
	}
	return (struct slice){NULL, 0};
}

bool
head_next_field(struct slice *lines, struct slice *name, struct slice *value)
{
	const char *colon, *lf;

	if (lines->len == 0)
		return false;
	/* chunk_decode() has checked that each line has both parts. */
	colon = memchr(lines->at, ':', lines->len);
	lf = memchr(lines->at, '\n', lines->len);
	if (colon == NULL || lf == NULL || lf < colon + 2)
		return false;
	*name = (struct slice){lines->at, (size_t)(colon - lines->at)};
	*value = head_trim(
	    (struct slice){colon + 1, (size_t)(lf - 1 - (colon + 1))});
	lines->len -= (size_t)(lf + 1 - lines->at);
	lines->at = lf + 1;
	return true;
}

/* ---- methods ---- */

const struct slice head_methods[] = {
#define METHOD(number, symbol, name) [number] = {#name, sizeof(#name) - 1},
    HTTP_ALL_METHOD_MAP(METHOD)
#undef METHOD
};

/* RFC 9110 section 9.2.2. */
bool
head_is_idempotent(const struct head *h)
{
	switch (h->method) {
	case HTTP_GET:
	case HTTP_HEAD:
	case HTTP_OPTIONS:
	case HTTP_TRACE:
	case HTTP_PUT:
	case HTTP_DELETE:
		return true;
	default:
		return false;
	}
}
