#include "parser.h"

#include <string.h>

#include "parser_check.h"
#include "parser_target.h"

#define CRLF_LEN 2

/* ---- what llhttp finds ---- */

/* A head is one piece of memory, but llhttp may report an element in several
 * parts. */
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
	struct parser *m = p->data;

	extend(&m->head.target, at, len);
	return 0;
}

static int
on_reason(llhttp_t *p, const char *at, size_t len)
{
	struct parser *m = p->data;

	extend(&m->head.reason, at, len);
	return 0;
}

/* llhttp gets no more bytes. */
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
init(struct parser *m, llhttp_type_t type)
{
	llhttp_init(&m->parser, type, &settings);
	m->parser.data = m;
	m->error = PARSER_NONE;
	m->head_bytes = 0;
	m->body_bytes = 0;
	m->head_done = false;
	m->done = false;
	m->no_body = false;
	m->body = (struct slice){NULL, 0};
	m->trailers = (struct slice){NULL, 0};
	head_init(&m->head, type == HTTP_RESPONSE);
}

void
parser_init_request(struct parser *m, const struct parser_limits *limits,
    const struct path_rules *rules, char *room)
{
	init(m, HTTP_REQUEST);
	parser_scan_init_request(&m->scan, &m->head, limits->target_bytes);
	m->limits = *limits;
	m->path_rules = rules;
	m->room = room;
	m->chunks = (struct chunk_decoder){.framing_max = limits->head_bytes};
}

void
parser_init_response(struct parser *m, size_t head_max, bool no_body)
{
	init(m, HTTP_RESPONSE);
	parser_scan_init_response(&m->scan, &m->head);
	m->limits = (struct parser_limits){.head_bytes = head_max};
	m->chunks = (struct chunk_decoder){.framing_max = head_max};
	m->no_body = no_body;
}

/* ---- the head ---- */

/* An error of llhttp in a head that parser_scan() has passed. */
static enum parser_error
parser_error(const struct parser *m)
{
	switch (llhttp_get_errno(&m->parser)) {
	case HPE_INVALID_METHOD:
		return PARSER_METHOD;
	case HPE_INVALID_URL:
		return PARSER_TARGET;
	case HPE_INVALID_TRANSFER_ENCODING:
		return head_value(&m->head, "content-length").at != NULL
			   ? PARSER_LENGTH
			   : PARSER_CODING;
	default:
		return PARSER_SYNTAX;
	}
}

/* llhttp also knows methods of RTSP, of Icecast and of HTTP/2's preface. */
static bool
is_http_method(const struct parser *m)
{
	unsigned method = m->head.method;

	return method != HTTP_CONNECT && method != HTTP_SOURCE &&
	       (method < HTTP_PRI || method > HTTP_FLUSH);
}

static bool
execute(struct parser *m, const char *from, const char *to)
{
	return llhttp_execute(&m->parser, from, (size_t)(to - from)) == HPE_OK;
}

/* Without the blanks behind the value: llhttp takes no HTAB there. */
static bool
execute_field(struct parser *m, const struct head_field *h)
{
	struct slice value = head_trim(h->value);
	const char *line_end = h->value.at + h->value.len;

	return execute(m, h->name.at, value.at + value.len) &&
	       execute(m, line_end, line_end + CRLF_LEN);
}

/* The start line, Transfer-Encoding, and the empty line. parser_scan() has
 * checked the rest, or parser_check() will. */
static llhttp_errno_t
run_parser(struct parser *m, const char *end)
{
	const char *fields = m->head.field_count > 0 ? m->head.fields[0].name.at
						     : end - CRLF_LEN;

	if (!execute(m, m->scan.start, fields))
		return llhttp_get_errno(&m->parser);
	for (size_t i = 0; i < m->head.field_count; i++) {
		const struct head_field *h = &m->head.fields[i];

		if (h->id == FIELD_TRANSFER_ENCODING && !execute_field(m, h))
			return llhttp_get_errno(&m->parser);
	}
	return llhttp_execute(&m->parser, end - CRLF_LEN, CRLF_LEN);
}

static void
set_query(struct head *head, const char *mark)
{
	const char *end = head->target.at + head->target.len;

	head->query = (struct slice){mark + 1, (size_t)(end - mark) - 1};
}

static enum parser_error
parse_head(struct parser *m, const char *end)
{
	llhttp_errno_t err = run_parser(m, end);
	enum parser_error error;

	m->head.method = m->parser.method;
	m->head.minor = m->parser.http_minor;
	m->head.status = m->parser.status_code;
	if (!m->head.is_response && !is_http_method(m))
		return PARSER_METHOD;
	if (err != HPE_PAUSED)
		return parser_error(m);
	if (m->scan.query != NULL)
		set_query(&m->head, m->scan.query);
	error = parser_check(&m->head, m->limits.body_bytes);
	if (m->scan.is_odd && error == PARSER_NONE)
		error =
		    parser_target_normalise(&m->head, m->path_rules, m->room);
	return error;
}

/* Only a response: no field says where the body ends. */
static bool
lasts_until_close(const struct parser *m)
{
	return m->head.is_response && !m->no_body && !m->head.chunked &&
	       !m->head.has_length;
}

static void
begin_body(struct parser *m)
{
	unsigned status = m->head.status;

	/* RFC 9112 section 6.3: regardless of the fields. */
	if (m->head.is_response &&
	    (status == 204 || status == 304 || head_is_interim(&m->head))) {
		/* RFC 9112 section 6.1: a backend that frames a 204 may send a
		 * body, too. A 304 describes the response to a GET. */
		if (status != 304 && head_has_body(&m->head))
			m->head.keep_alive = false;
		m->no_body = true;
	}
	if (lasts_until_close(m))
		m->head.keep_alive = false;
	else if (m->no_body || !head_has_body(&m->head))
		m->done = true;
}

/* The bytes up to the head's end; all bytes while the end has not come. */
static size_t
feed_head(struct parser *m, const char *data, size_t len)
{
	size_t room = m->limits.head_bytes - (size_t)m->head_bytes;
	size_t visible = len < room ? len : room;
	const char *at = data;
	bool whole = parser_scan(&m->scan, &at, data + visible);

	m->head_bytes += (size_t)(at - data);
	m->error = m->scan.error;
	if (m->error != PARSER_NONE)
		return 0;
	if (whole) {
		m->head.field_count = (size_t)(m->scan.field - m->head.fields);
		m->error = parse_head(m, at);
		m->head_done = m->error == PARSER_NONE;
		if (m->head_done)
			begin_body(m);
	} else if (m->head_bytes >= m->limits.head_bytes) {
		m->error = PARSER_HEAD_TOO_LARGE;
	}
	return (size_t)(at - data);
}

/* ---- the body ---- */

static size_t
feed_chunks(struct parser *m, char *data, size_t len)
{
	struct chunk_piece piece;
	size_t taken = chunk_decode(&m->chunks, data, len, &piece);
	uint64_t max = m->limits.body_bytes;

	m->body = (struct slice){piece.data, piece.len};
	m->body_bytes += piece.len;
	/* A chunk's size is known before its data. */
	if (max != 0 &&
	    (m->body_bytes > max || (m->chunks.state == CHUNK_DATA &&
					m->chunks.left > max - m->body_bytes)))
		m->error = PARSER_BODY_TOO_LARGE;
	else if (m->chunks.state == CHUNK_BAD)
		m->error = PARSER_CHUNK;
	else if (m->chunks.state == CHUNK_BLOATED)
		m->error = PARSER_HEAD_TOO_LARGE;
	else
		m->done = m->chunks.state == CHUNK_DONE;
	m->trailers = (struct slice){piece.trailers, piece.trailers_len};
	return taken;
}

static size_t
feed_body(struct parser *m, char *data, size_t len)
{
	if (m->head.chunked)
		return feed_chunks(m, data, len);
	if (m->head.has_length && len > m->head.length - m->body_bytes)
		len = (size_t)(m->head.length - m->body_bytes);
	m->body = (struct slice){data, len};
	m->body_bytes += len;
	m->done = m->head.has_length && m->body_bytes == m->head.length;
	return len;
}

size_t
parser_feed(struct parser *m, char *data, size_t len)
{
	size_t taken = 0;

	m->body = (struct slice){NULL, 0};
	if (m->done || m->error != PARSER_NONE)
		return 0;
	if (!m->head_done)
		taken = feed_head(m, data, len);
	if (m->head_done && !m->done && taken < len)
		taken += feed_body(m, data + taken, len - taken);
	if (m->error != PARSER_NONE) {
		m->body = (struct slice){NULL, 0};
		return 0;
	}
	return taken;
}

void
parser_finish(struct parser *m)
{
	if (m->done || m->error != PARSER_NONE)
		return;
	m->body = (struct slice){NULL, 0};
	if (m->head_done && lasts_until_close(m))
		m->done = true;
	else
		m->error = PARSER_EOF;
}
