#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "message_private.h"

static const struct {
	const char *name;
	size_t len;
	enum message_field field;
} known_fields[] = {
#define KNOWN(name, field) {name, sizeof(name) - 1, field}
    KNOWN("connection", FIELD_CONNECTION),
    KNOWN("content-length", FIELD_CONTENT_LENGTH),
    KNOWN("date", FIELD_DATE),
    KNOWN("expect", FIELD_EXPECT),
    KNOWN("host", FIELD_HOST),
    KNOWN("keep-alive", FIELD_HOP_BY_HOP),
    KNOWN("proxy-authenticate", FIELD_HOP_BY_HOP),
    KNOWN("proxy-authorization", FIELD_HOP_BY_HOP),
    KNOWN("proxy-connection", FIELD_HOP_BY_HOP),
    KNOWN("te", FIELD_HOP_BY_HOP),
    KNOWN("trailer", FIELD_HOP_BY_HOP),
    KNOWN("transfer-encoding", FIELD_TRANSFER_ENCODING),
    KNOWN("upgrade", FIELD_UPGRADE),
    KNOWN("x-forwarded-for", FIELD_X_FORWARDED_FOR),
    KNOWN("x-forwarded-proto", FIELD_X_FORWARDED_PROTO),
    KNOWN("x-real-ip", FIELD_X_REAL_IP),
#undef KNOWN
};

static bool
slice_equals(struct message_slice s, const char *text, size_t len)
{
	return s.len == len && strncasecmp(s.at, text, len) == 0;
}

static enum message_field
classify(struct message_slice name)
{
	for (size_t i = 0; i < sizeof(known_fields) / sizeof(*known_fields);
	    i++)
		if (known_fields[i].len == name.len &&
		    (known_fields[i].name[0] | 0x20) == (name.at[0] | 0x20) &&
		    slice_equals(name, known_fields[i].name, name.len))
			return known_fields[i].field;
	return FIELD_OTHER;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static struct message_slice
trim(struct message_slice s)
{
	while (s.len > 0 && is_blank(s.at[0])) {
		s.at++;
		s.len--;
	}
	while (s.len > 0 && is_blank(s.at[s.len - 1]))
		s.len--;
	return s;
}

/* The next element of a comma-separated list, at NULL after the last. */
static struct message_slice
next_element(struct message_slice *list)
{
	struct message_slice element = *list;
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
	return trim(element);
}

/* RFC 9110 section 7.6.1: what Connection names belongs to this hop. */
static void
nominate(struct message *m, struct message_slice list)
{
	struct message_slice name;

	while ((name = next_element(&list)).at != NULL)
		for (size_t i = 0; i < m->header_count; i++)
			if (slice_equals(m->headers[i].name, name.at, name.len))
				m->headers[i].nominated = true;
}

static bool
is_valid_host(struct message_slice host)
{
	/* RFC 3986 section 3.2.2, and the port's colon. */
	static const char marks[] = "-._~%!$&'()*+,;=:[]";

	if (host.len == 0)
		return false;
	for (size_t i = 0; i < host.len; i++)
		if (!isalnum((unsigned char)host.at[i]) &&
		    memchr(marks, host.at[i], sizeof(marks) - 1) == NULL)
			return false;
	return true;
}

/* RFC 9112 section 3.2: origin-form, absolute-form, or `*` for OPTIONS. */
static enum message_error
check_target(struct message *m)
{
	static const char scheme[] = "http://";
	struct message_slice t = m->target;
	size_t i;

	if (t.len == 0 || memchr(t.at, '#', t.len) != NULL)
		return MESSAGE_TARGET;
	m->path = t;
	if (t.at[0] == '/')
		return MESSAGE_NONE;
	if (t.len == 1 && t.at[0] == '*')
		return m->parser.method == HTTP_OPTIONS ? MESSAGE_NONE
							: MESSAGE_TARGET;
	if (t.len <= strlen(scheme) ||
	    strncasecmp(t.at, scheme, strlen(scheme)) != 0)
		return MESSAGE_TARGET;
	for (i = strlen(scheme); i < t.len; i++)
		if (t.at[i] == '/' || t.at[i] == '?')
			break;
	/* The URI's authority takes the place of Host's. */
	m->host.at = t.at + strlen(scheme);
	m->host.len = i - strlen(scheme);
	if (!is_valid_host(m->host))
		return MESSAGE_TARGET;
	m->path.at = t.at + i;
	m->path.len = t.len - i;
	if (m->path.len == 0)
		m->path = (struct message_slice){"/", 1};
	return m->path.at[0] == '/' ? MESSAGE_NONE : MESSAGE_TARGET;
}

struct head_facts {
	unsigned hosts;
	unsigned codings;
	unsigned lengths;
	struct message_slice host;
	struct message_slice coding;
	struct message_slice length;
};

static enum message_error
collect(struct message *m, struct head_facts *facts)
{
	for (size_t i = 0; i < m->header_count; i++) {
		struct message_header *h = &m->headers[i];

		if (h->name.len == 0)
			return MESSAGE_SYNTAX;
		h->value = trim(h->value);
		h->field = classify(h->name);
		switch (h->field) {
		case FIELD_HOST:
			facts->hosts++;
			facts->host = h->value;
			break;
		case FIELD_TRANSFER_ENCODING:
			facts->codings++;
			facts->coding = h->value;
			break;
		case FIELD_CONTENT_LENGTH:
			if (facts->lengths++ != 0)
				return MESSAGE_LENGTH;
			facts->length = h->value;
			break;
		case FIELD_CONNECTION:
			nominate(m, h->value);
			break;
		case FIELD_EXPECT:
			m->expects_continue =
			    message_slice_is(h->value, "100-continue");
			break;
		default:
			break;
		}
	}
	return MESSAGE_NONE;
}

static enum message_error
check_framing(struct message *m, const struct head_facts *facts)
{
	if (facts->codings > 1 ||
	    (facts->codings == 1 &&
		!message_slice_is(facts->coding, "chunked")))
		return MESSAGE_CODING;
	/* RFC 9112 section 6.1: no coding in HTTP/1.0. */
	if (facts->codings == 1 && m->parser.http_minor == 0)
		return MESSAGE_CODING;
	if (facts->codings == 1 && facts->lengths != 0)
		return MESSAGE_LENGTH;
	m->chunked = facts->codings == 1;
	if (facts->lengths == 0)
		return MESSAGE_NONE;
	if (facts->length.len == 0)
		return MESSAGE_LENGTH;
	for (size_t i = 0; i < facts->length.len; i++)
		if (facts->length.at[i] < '0' || facts->length.at[i] > '9')
			return MESSAGE_LENGTH;
	/* llhttp has it as a number and has refused an overflow. */
	m->has_length = true;
	m->length = m->parser.content_length;
	if (m->limits.body_bytes != 0 && m->length > m->limits.body_bytes)
		return MESSAGE_BODY_TOO_LARGE;
	return MESSAGE_NONE;
}

enum message_error
message_check_head(struct message *m)
{
	struct head_facts facts = {0};
	enum message_error error;

	if (m->parser.http_major == 0)
		return MESSAGE_SYNTAX;
	if (m->parser.http_major != 1 || m->parser.http_minor > 1)
		return MESSAGE_VERSION;
	if (m->is_response && m->parser.status_code < 100)
		return MESSAGE_SYNTAX;
	error = collect(m, &facts);
	if (error == MESSAGE_NONE)
		error = check_framing(m, &facts);
	if (error != MESSAGE_NONE || m->is_response)
		return error;
	if (m->parser.method == HTTP_CONNECT)
		return MESSAGE_METHOD;
	if (facts.hosts > 1 || (facts.hosts == 0 && m->parser.http_minor == 1))
		return MESSAGE_HOST;
	if (facts.hosts == 1 && !is_valid_host(facts.host))
		return MESSAGE_HOST;
	m->host = facts.host;
	return check_target(m);
}

enum message_error
message_check_lines(const char *head, size_t available, size_t *len)
{
	const char *at = head, *end = head + available;

	/* Empty lines before the first are allowed. */
	while (end - at >= 2 && at[0] == '\r' && at[1] == '\n')
		at += 2;
	for (;;) {
		const char *lf = memchr(at, '\n', (size_t)(end - at));
		size_t n;

		if (lf == NULL || lf == at || lf[-1] != '\r')
			return MESSAGE_LINE_ENDS;
		n = (size_t)(lf - 1 - at);
		if (n == 0)
			break;
		if (memchr(at, '\r', n) != NULL || memchr(at, '\0', n) != NULL)
			return MESSAGE_LINE_ENDS;
		at = lf + 1;
		if (at < end && is_blank(*at))
			return MESSAGE_LINE_ENDS;
	}
	*len = (size_t)(at + 2 - head);
	return MESSAGE_NONE;
}
