#include "message.h"

#include <string.h>

#include "message_private.h"

#define CRLF_LEN 2

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

/* ---- what llhttp finds ---- */

/* A head is one piece of memory, but llhttp need not give each of its parts in
 * one. */
static void
extend(struct slice *s, const char *at, size_t len)
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

/* What follows is not for llhttp. */
static int
on_head_end(llhttp_t *p)
{
	(void)p;
	return HPE_PAUSED;
}

static const llhttp_settings_t settings = {
    .on_url = on_target,
    .on_status = on_reason,
    .on_headers_complete = on_head_end,
};

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
	m->chunks.framing_max = limits->head_bytes;
}

void
message_init_response(struct message *m, size_t head_max, bool no_body)
{
	init(m, HTTP_RESPONSE);
	m->limits.head_bytes = head_max;
	m->chunks.framing_max = head_max;
	m->is_response = true;
	m->no_body = no_body;
}

/* ---- the head ---- */

/* What llhttp still finds wrong where message_scan() has found nothing. */
static enum message_error
parser_error(const struct message *m)
{
	switch (llhttp_get_errno(&m->parser)) {
	case HPE_INVALID_METHOD:
		return MESSAGE_METHOD;
	case HPE_INVALID_URL:
		return MESSAGE_TARGET;
	case HPE_INVALID_TRANSFER_ENCODING:
		return message_header(m, "content-length").at != NULL
			   ? MESSAGE_LENGTH
			   : MESSAGE_CODING;
	default:
		return MESSAGE_SYNTAX;
	}
}

/* llhttp knows those of RTSP, of Icecast and of HTTP/2's preface, too. */
static bool
is_http_method(const struct message *m)
{
	unsigned method = m->parser.method;

	return method != HTTP_CONNECT && method != HTTP_SOURCE &&
	       (method < HTTP_PRI || method > HTTP_FLUSH);
}

static bool
execute(struct message *m, const char *from, const char *to)
{
	return llhttp_execute(&m->parser, from, (size_t)(to - from)) == HPE_OK;
}

/* Without the blanks behind the value: llhttp takes no HTAB there. */
static bool
execute_field(struct message *m, const struct message_header *h)
{
	struct slice value = message_trim(h->value);
	const char *line_end = h->value.at + h->value.len;

	return execute(m, h->name.at, value.at + value.len) &&
	       execute(m, line_end, line_end + CRLF_LEN);
}

/* The start line, Transfer-Encoding, and the empty line: what else llhttp would
 * look at, message_scan() has seen or message_check_head() will. */
static llhttp_errno_t
run_parser(struct message *m, const char *end)
{
	const char *fields =
	    m->header_count > 0 ? m->headers[0].name.at : end - CRLF_LEN;

	if (!execute(m, m->head, fields))
		return llhttp_get_errno(&m->parser);
	for (size_t i = 0; i < m->header_count; i++) {
		const struct message_header *h = &m->headers[i];

		if (h->field == FIELD_TRANSFER_ENCODING && !execute_field(m, h))
			return llhttp_get_errno(&m->parser);
	}
	return llhttp_execute(&m->parser, end - CRLF_LEN, CRLF_LEN);
}

static enum message_error
parse_head(struct message *m, const char *end)
{
	llhttp_errno_t err = run_parser(m, end);

	if (!m->is_response && !is_http_method(m))
		return MESSAGE_METHOD;
	if (err != HPE_PAUSED)
		return parser_error(m);
	return message_check_head(m);
}

/* Only a response: nothing in its head says where its body ends. */
static bool
lasts_until_close(const struct message *m)
{
	return m->is_response && !m->no_body && !m->chunked && !m->has_length;
}

static void
begin_body(struct message *m)
{
	unsigned status = m->parser.status_code;

	/* RFC 9112 section 6.3: whatever their headers say. */
	if (m->is_response &&
	    (status == 204 || status == 304 || message_is_interim(m))) {
		/* RFC 9112 section 6.1: who frames a 204 may send a body,
		 * too. A 304 speaks of the answer to a GET. */
		if (status != 304 && message_has_body(m))
			m->keep_alive = false;
		m->no_body = true;
	}
	if (lasts_until_close(m))
		m->keep_alive = false;
	else if (m->no_body || !message_has_body(m))
		m->done = true;
}

/* The bytes up to the head's end, all of them while that has not come. */
static size_t
feed_head(struct message *m, const char *data, size_t len)
{
	size_t room = m->limits.head_bytes - (size_t)m->head_bytes;
	size_t visible = len < room ? len : room;
	const char *at = data;
	bool whole = message_scan(m, &at, data + visible);

	m->head_bytes += (size_t)(at - data);
	if (m->error != MESSAGE_NONE)
		return 0;
	if (whole) {
		m->error = parse_head(m, at);
		m->head_done = m->error == MESSAGE_NONE;
		if (m->head_done)
			begin_body(m);
	} else if (m->head_bytes >= m->limits.head_bytes) {
		m->error = MESSAGE_HEAD_TOO_LARGE;
	}
	return (size_t)(at - data);
}

/* ---- the body ---- */

static size_t
feed_chunks(struct message *m, char *data, size_t len)
{
	struct chunk_piece piece;
	size_t taken = chunk_decode(&m->chunks, data, len, &piece);
	uint64_t max = m->limits.body_bytes;

	m->body = (struct slice){piece.data, piece.len};
	m->body_bytes += piece.len;
	/* A chunk says beforehand how much it will bring. */
	if (max != 0 &&
	    (m->body_bytes > max || (m->chunks.state == CHUNK_DATA &&
					m->chunks.left > max - m->body_bytes)))
		m->error = MESSAGE_BODY_TOO_LARGE;
	else if (m->chunks.state == CHUNK_BAD)
		m->error = MESSAGE_CHUNK;
	else if (m->chunks.state == CHUNK_BLOATED)
		m->error = MESSAGE_HEAD_TOO_LARGE;
	else
		m->done = m->chunks.state == CHUNK_DONE;
	m->trailers = (struct slice){piece.trailers, piece.trailers_len};
	return taken;
}

static size_t
feed_body(struct message *m, char *data, size_t len)
{
	if (m->chunked)
		return feed_chunks(m, data, len);
	if (m->has_length && len > m->length - m->body_bytes)
		len = (size_t)(m->length - m->body_bytes);
	m->body = (struct slice){data, len};
	m->body_bytes += len;
	m->done = m->has_length && m->body_bytes == m->length;
	return len;
}

size_t
message_feed(struct message *m, char *data, size_t len)
{
	size_t taken = 0;

	m->body = (struct slice){NULL, 0};
	if (m->done || m->error != MESSAGE_NONE)
		return 0;
	if (!m->head_done)
		taken = feed_head(m, data, len);
	if (m->head_done && !m->done && taken < len)
		taken += feed_body(m, data + taken, len - taken);
	if (m->error != MESSAGE_NONE) {
		m->body = (struct slice){NULL, 0};
		return 0;
	}
	return taken;
}

void
message_finish(struct message *m)
{
	if (m->done || m->error != MESSAGE_NONE)
		return;
	m->body = (struct slice){NULL, 0};
	if (m->head_done && lasts_until_close(m))
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
