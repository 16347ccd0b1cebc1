#include <string.h>

#include "message_private.h"
#include "octet.h"

/* Name, its first letter, what it is. No two are alike in length and first
 * letter, so a name is compared with one of them at most, and most with none.
 */
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
	X("keep-alive", 'k', FIELD_HOP_BY_HOP)                                 \
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
	X("proxy-authenticate", 'p', FIELD_HOP_BY_HOP)                         \
	X("proxy-authorization", 'p', FIELD_HOP_BY_HOP)

#define KEY(len, first) ((unsigned)(len) << 8 | (unsigned)(first))

enum message_field
message_field_of(struct slice name)
{
	const char *known;
	enum message_field field;

	/* A name is never empty, and a longer one not ours. */
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
	default:
		return FIELD_OTHER;
	}
	return octet_same(name.at, known, name.len) ? field : FIELD_OTHER;
}

/* ---- values ---- */

struct slice
message_trim(struct slice s)
{
	while (s.len > 0 && octet_is_blank(s.at[0])) {
		s.at++;
		s.len--;
	}
	while (s.len > 0 && octet_is_blank(s.at[s.len - 1]))
		s.len--;
	return s;
}

/* Whatever the case of its letters. */
static uint32_t
hash_name(struct slice name)
{
	uint32_t hash = 2166136261U;

	for (size_t i = 0; i < name.len; i++)
		hash = (hash ^ (uint8_t)(name.at[i] | 0x20)) * 16777619U;
	return hash;
}

void
message_nominate(struct message *m, struct slice name)
{
	if (m->nominated_count < MESSAGE_NOMINATED_MAX)
		m->nominated[m->nominated_count] = hash_name(name);
	m->nominated_count++;
}

bool
message_nominates(const struct message *m, struct slice name)
{
	uint32_t hash = hash_name(name);

	if (m->nominated_count > MESSAGE_NOMINATED_MAX)
		return true;
	for (unsigned i = 0; i < m->nominated_count; i++)
		if (m->nominated[i] == hash)
			return true;
	return false;
}

struct slice
message_next_element(struct slice *list)
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
	return message_trim(element);
}

struct slice
message_header(const struct message *m, const char *name)
{
	for (size_t i = 0; i < m->header_count; i++)
		if (slice_is(m->headers[i].name, name))
			return m->headers[i].value;
	return (struct slice){NULL, 0};
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
message_cookie(const struct message *m, const char *name)
{
	struct slice wanted = {name, strlen(name)};
	struct slice value = {NULL, 0};

	for (size_t i = 0; i < m->header_count && value.at == NULL; i++)
		if (m->headers[i].field == FIELD_COOKIE)
			value = find_cookie(m->headers[i].value, wanted);
	return value;
}

bool
message_next_field(struct slice *lines, struct slice *name, struct slice *value)
{
	const char *colon, *lf;

	if (lines->len == 0)
		return false;
	/* chunk_decode() has seen that each line has both. */
	colon = memchr(lines->at, ':', lines->len);
	lf = memchr(lines->at, '\n', lines->len);
	if (colon == NULL || lf == NULL || lf < colon + 2)
		return false;
	*name = (struct slice){lines->at, (size_t)(colon - lines->at)};
	*value = message_trim(
	    (struct slice){colon + 1, (size_t)(lf - 1 - (colon + 1))});
	lines->len -= (size_t)(lf + 1 - lines->at);
	lines->at = lf + 1;
	return true;
}
