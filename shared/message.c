#include "message.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

static int on_target(llhttp_t *, const char *, size_t);
static int on_reason(llhttp_t *, const char *, size_t);
static int on_name(llhttp_t *, const char *, size_t);
static int on_name_end(llhttp_t *);
static int on_value(llhttp_t *, const char *, size_t);
static int on_head_end(llhttp_t *);
static int on_body(llhttp_t *, const char *, size_t);
static int on_end(llhttp_t *);

static const llhttp_settings_t settings = {
    .on_url = on_target,
    .on_status = on_reason,
    .on_header_field = on_name,
    .on_header_field_complete = on_name_end,
    .on_header_value = on_value,
    .on_headers_complete = on_head_end,
    .on_body = on_body,
    .on_message_complete = on_end,
};

static const struct {
	const char *name;
	size_t len;
	enum message_field field;
} known_fields[] = {
#define KNOWN(name, field)                                                     \
	{                                                                      \
		name, sizeof(name) - 1, field                                  \
	}
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

static const struct {
	unsigned status;
	const char *text;
} errors[] = {
#define X(symbol, status, text) [MESSAGE_##symbol] = {status, text},
    MESSAGE_ERRORS(X)
#undef X
};

unsigned
message_error_status(enum message_error error)
{
	return errors[error].status;
}

const char *
message_error_str(enum message_error error)
{
	return errors[error].text;
}

static bool
slice_equals(struct message_slice s, const char *text, size_t len)
{
	return s.len == len && strncasecmp(s.at, text, len) == 0;
}

bool
message_slice_is(struct message_slice s, const char *text)
{
	return slice_equals(s, text, strlen(text));
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

static void
init(struct message *m, llhttp_type_t type, size_t head_max)
{
	memset(m, 0, offsetof(struct message, headers));
	llhttp_init(&m->parser, type, &settings);
	m->parser.data = m;
	m->head_max = head_max;
}

void
message_init_request(struct message *m, size_t head_max, uint64_t body_max)
{
	init(m, HTTP_REQUEST, head_max);
	m->body_max = body_max;
}

void
message_init_response(struct message *m, size_t head_max, bool no_body)
{
	init(m, HTTP_RESPONSE, head_max);
	m->is_response = true;
	m->no_body = no_body;
}

/* A callback's way out: llhttp stops, and message_feed() sees the error. */
static int
fail(struct message *m, enum message_error error)
{
	m->error = error;
	return HPE_USER;
}

static void
extend(struct message_slice *s, const char *at, size_t len)
{
	if (s->at == NULL)
		s->at = at;
	s->len += len;
}

static int
on_target(llhttp_t *p, const char *at, size_t len)
{
	struct message *m = p->data;

	extend(&m->target, at, len);
	return 0;
}

static int
on_reason(llhttp_t *p, const char *at, size_t len)
{
	struct message *m = p->data;

	extend(&m->reason, at, len);
	return 0;
}

static int
on_name(llhttp_t *p, const char *at, size_t len)
{
	struct message *m = p->data;

	/* Trailers come after the head; they are read and dropped. */
	if (m->head_done)
		return 0;
	if (m->header_count == 0 || m->in_value) {
		if (m->header_count == MESSAGE_HEADERS_MAX)
			return fail(m, MESSAGE_HEAD_TOO_LARGE);
		memset(&m->headers[m->header_count++], 0, sizeof(*m->headers));
		m->in_value = false;
	}
	extend(&m->headers[m->header_count - 1].name, at, len);
	return 0;
}

static int
on_name_end(llhttp_t *p)
{
	struct message *m = p->data;

	m->in_value = true;
	return 0;
}

static int
on_value(llhttp_t *p, const char *at, size_t len)
{
	struct message *m = p->data;

	if (!m->head_done)
		extend(&m->headers[m->header_count - 1].value, at, len);
	return 0;
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
	if (m->body_max != 0 && m->length > m->body_max)
		return MESSAGE_BODY_TOO_LARGE;
	return MESSAGE_NONE;
}

static enum message_error
check_head(struct message *m)
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

/* RFC 9112 section 9.3. llhttp's own answer takes a response whose body it has
 * not been told to skip for one that lasts until the connection closes. */
static bool
keeps_alive(const struct message *m)
{
	if (!m->no_body)
		return llhttp_should_keep_alive(&m->parser) != 0;
	if (m->parser.http_minor == 0)
		return (m->parser.flags & F_CONNECTION_KEEP_ALIVE) != 0;
	return (m->parser.flags & F_CONNECTION_CLOSE) == 0;
}

static int
on_head_end(llhttp_t *p)
{
	struct message *m = p->data;

	m->error = check_head(m);
	if (m->error != MESSAGE_NONE)
		return -1;
	m->head_done = true;
	/* RFC 9112 section 6.3: whatever their headers say. */
	if (m->is_response && (p->status_code == 204 || p->status_code == 304 ||
				  message_is_interim(m)))
		m->no_body = true;
	m->keep_alive = keeps_alive(m);
	return m->no_body ? 1 : 0;
}

/* Moves each piece up against the one before, so that what one read brought
 * is one piece, whatever chunks it came in. */
static int
on_body(llhttp_t *p, const char *at, size_t len)
{
	struct message *m = p->data;
	char *to;

	m->body_bytes += len;
	if (m->body_max != 0 && m->body_bytes > m->body_max)
		return fail(m, MESSAGE_BODY_TOO_LARGE);
	if (m->body.at == NULL) {
		m->body.at = at;
	} else {
		to = (char *)(uintptr_t)m->body.at + m->body.len;
		if (to != at)
			memmove(to, at, len);
	}
	m->body.len += len;
	return 0;
}

static int
on_end(llhttp_t *p)
{
	struct message *m = p->data;

	m->done = true;
	return HPE_PAUSED;
}

/*
 * RFC 9112 section 2.2 and 5.2, on the bytes as they came: each line ends in
 * CRLF, no other CR, LF or NUL, no line folded. Returns the head's length
 * through *len.
 */
static enum message_error
check_lines(const char *head, size_t available, size_t *len)
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

/* llhttp knows a list of methods. A line of another form is not HTTP. */
static enum message_error
unknown_method(const char *head, size_t len)
{
	size_t line = 0, token = 0;

	while (line < len && head[line] != '\r' && head[line] != '\n')
		line++;
	while (token < line && ((head[token] >= 'A' && head[token] <= 'Z') ||
				   head[token] == '-'))
		token++;
	if (token > 0 && token < line && head[token] == ' ' &&
	    memmem(head, line, " HTTP/1.", 8) != NULL)
		return MESSAGE_METHOD;
	return MESSAGE_SYNTAX;
}

static enum message_error
parser_error(const struct message *m, const char *head, size_t len)
{
	switch (llhttp_get_errno(&m->parser)) {
	case HPE_INVALID_METHOD:
		return unknown_method(head, len);
	case HPE_INVALID_URL:
		return MESSAGE_TARGET;
	case HPE_INVALID_VERSION:
		return MESSAGE_VERSION;
	case HPE_INVALID_CONTENT_LENGTH:
	case HPE_UNEXPECTED_CONTENT_LENGTH:
		return MESSAGE_LENGTH;
	case HPE_INVALID_TRANSFER_ENCODING:
		return MESSAGE_CODING;
	default:
		return MESSAGE_SYNTAX;
	}
}

static void
check_head_bytes(struct message *m, const char *data, size_t len)
{
	size_t available, head_len = 0;

	available = (size_t)(data + len - m->head);
	m->error = check_lines(m->head, available, &head_len);
	m->head_bytes = head_len;
	if (m->error == MESSAGE_NONE && head_len > m->head_max)
		m->error = MESSAGE_HEAD_TOO_LARGE;
}

/* "GET /" alone is HTTP/0.9 to llhttp, which waits for a head that such a
 * client never sends. */
static bool
is_http09(const struct message *m, const char *end)
{
	const char *at = m->head, *lf;

	while (end - at >= 2 && at[0] == '\r' && at[1] == '\n')
		at += 2;
	lf = memchr(at, '\n', (size_t)(end - at));
	return lf != NULL && memmem(at, (size_t)(lf - at), " HTTP/", 6) == NULL;
}

size_t
message_feed(struct message *m, char *data, size_t len)
{
	bool head_was_done = m->head_done;
	size_t taken = len;
	llhttp_errno_t err;

	m->body = (struct message_slice){NULL, 0};
	if (m->head == NULL)
		m->head = data;
	err = llhttp_execute(&m->parser, data, len);
	if (err == HPE_PAUSED || err == HPE_PAUSED_UPGRADE)
		taken = (size_t)(llhttp_get_error_pos(&m->parser) - data);
	else if (err != HPE_OK && m->error == MESSAGE_NONE)
		m->error =
		    parser_error(m, m->head, (size_t)(data + len - m->head));
	else if (!m->head_done && !m->is_response && is_http09(m, data + len))
		m->error = MESSAGE_SYNTAX;
	if (m->error != MESSAGE_NONE)
		return 0;
	if (!head_was_done && m->head_done)
		check_head_bytes(m, data, taken);
	else if (!m->head_done) {
		m->head_bytes += len;
		if (m->head_bytes >= m->head_max)
			m->error = MESSAGE_HEAD_TOO_LARGE;
	}
	return taken;
}

void
message_finish(struct message *m)
{
	if (m->done || m->error != MESSAGE_NONE)
		return;
	m->body = (struct message_slice){NULL, 0};
	if (llhttp_message_needs_eof(&m->parser) && m->head_done)
		m->done = true;
	else
		m->error = MESSAGE_EOF;
}

bool
message_has_body(const struct message *m)
{
	return m->chunked || (m->has_length && m->length > 0);
}

bool
message_is_interim(const struct message *m)
{
	return m->parser.status_code / 100 == 1;
}

unsigned
message_status(const struct message *m)
{
	return m->parser.status_code;
}

const char *
message_method(const struct message *m)
{
	return llhttp_method_name((llhttp_method_t)m->parser.method);
}

/* RFC 9110 section 9.2.2. */
bool
message_is_idempotent(const struct message *m)
{
	switch (m->parser.method) {
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

struct message_slice
message_header(const struct message *m, const char *name)
{
	for (size_t i = 0; i < m->header_count; i++)
		if (message_slice_is(m->headers[i].name, name))
			return m->headers[i].value;
	return (struct message_slice){NULL, 0};
}

struct message_slice
message_query(const struct message *m, const char *name)
{
	const char *end = m->path.at + m->path.len;
	const char *at = memchr(m->path.at, '?', m->path.len);
	size_t name_len = strlen(name);

	while (at != NULL) {
		const char *next;
		size_t len;

		at++;
		next = memchr(at, '&', (size_t)(end - at));
		len = (size_t)((next != NULL ? next : end) - at);
		if (len > name_len && at[name_len] == '=' &&
		    memcmp(at, name, name_len) == 0)
			return (struct message_slice){
			    at + name_len + 1, len - name_len - 1};
		at = next;
	}
	return (struct message_slice){NULL, 0};
}
