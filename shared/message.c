#include "message.h"

#include <string.h>
#include <strings.h>

#include "message_private.h"

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

bool
message_slice_is(struct message_slice s, const char *text)
{
	size_t len = strlen(text);

	return s.len == len && strncasecmp(s.at, text, len) == 0;
}

static void
init(struct message *m, llhttp_type_t type)
{
	memset(m, 0, offsetof(struct message, headers));
	llhttp_init(&m->parser, type, &settings);
	m->parser.data = m;
	m->max_forwards = -1;
}

void
message_init_request(struct message *m, const struct message_limits *limits)
{
	init(m, HTTP_REQUEST);
	m->limits = *limits;
}

void
message_init_response(struct message *m, size_t head_max, bool no_body)
{
	init(m, HTTP_RESPONSE);
	m->limits.head_bytes = head_max;
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

	m->error = message_check_head(m);
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
	if (m->limits.body_bytes != 0 && m->body_bytes > m->limits.body_bytes)
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

/* A version of HTTP that is not ours, or no version: HTTP/0.9, or garbage. */
static enum message_error
bad_version(const char *head, size_t len)
{
	const char *v = memmem(head, len, "HTTP/", 5), *end = head + len;

	if (v == NULL || end - v < 6 || v[5] < '0' || v[5] > '9')
		return MESSAGE_SYNTAX;
	if (v[5] != '1' || (end - v > 7 && v[7] > '1' && v[7] <= '9'))
		return MESSAGE_VERSION;
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
		return bad_version(head, len);
	case HPE_INVALID_CONTENT_LENGTH:
	case HPE_UNEXPECTED_CONTENT_LENGTH:
		return MESSAGE_LENGTH;
	case HPE_INVALID_TRANSFER_ENCODING:
		return message_header(m, "content-length").at != NULL
			   ? MESSAGE_LENGTH
			   : MESSAGE_CODING;
	default:
		return MESSAGE_SYNTAX;
	}
}

/*
 * RFC 9112 section 3: method SP target SP HTTP/1.x. llhttp also takes more
 * spaces, other protocols (RTSP, ICE) and, with no version, HTTP/0.9, whose
 * head would be waited for in vain.
 */
static void
check_request_line(struct message *m, const char *end)
{
	const char *line = m->head, *lf;
	size_t want;

	while (end - line >= 2 && line[0] == '\r' && line[1] == '\n')
		line += 2;
	lf = memchr(line, '\n', (size_t)(end - line));
	if (lf == NULL)
		return;
	want = strlen(message_method(m)) + 1 + m->target.len +
	       strlen(" HTTP/1.1\r");
	if ((size_t)(lf - line) != want ||
	    memcmp(lf - strlen(" HTTP/1.1\r"), " HTTP/", 6) != 0)
		m->error = MESSAGE_SYNTAX;
}

static void
check_raw_head(struct message *m, const char *data, size_t len)
{
	size_t available, head_len = 0;

	available = (size_t)(data + len - m->head);
	m->error = message_check_lines(m->head, available, &head_len);
	m->head_bytes = head_len;
	if (m->error == MESSAGE_NONE && head_len > m->limits.head_bytes)
		m->error = MESSAGE_HEAD_TOO_LARGE;
	if (m->error == MESSAGE_NONE && !m->is_response)
		check_request_line(m, data + len);
}

/* While the head is still coming. */
static void
check_partial_head(struct message *m, const char *data, size_t len)
{
	m->head_bytes += len;
	if (m->head_bytes >= m->limits.head_bytes)
		m->error = MESSAGE_HEAD_TOO_LARGE;
	else if (!m->is_response)
		check_request_line(m, data + len);
}

/* Trailers and chunk extensions are part of no body, so of no cap but this. */
static void
check_idle_bytes(struct message *m, size_t len)
{
	m->idle_bytes = m->body.len > 0 ? 0 : m->idle_bytes + len;
	if (m->idle_bytes > m->limits.head_bytes)
		m->error = MESSAGE_HEAD_TOO_LARGE;
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
	if (m->error != MESSAGE_NONE)
		return 0;
	if (!head_was_done && m->head_done)
		check_raw_head(m, data, taken);
	else if (!m->head_done)
		check_partial_head(m, data, len);
	else
		check_idle_bytes(m, taken);
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

/* RFC 6265 section 4.2.1. */
struct message_slice
message_cookie(const struct message *m, const char *name)
{
	size_t name_len = strlen(name);

	for (size_t i = 0; i < m->header_count; i++) {
		const char *at = m->headers[i].value.at;
		const char *end = at + m->headers[i].value.len;

		if (!message_slice_is(m->headers[i].name, "cookie"))
			continue;
		while (at < end) {
			const char *stop = memchr(at, ';', (size_t)(end - at));
			size_t len = (size_t)((stop != NULL ? stop : end) - at);

			if (len > name_len && at[name_len] == '=' &&
			    memcmp(at, name, name_len) == 0)
				return (struct message_slice){
				    at + name_len + 1, len - name_len - 1};
			at += len + 1;
			while (at < end && (*at == ' ' || *at == '\t'))
				at++;
		}
	}
	return (struct message_slice){NULL, 0};
}
