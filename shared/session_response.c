#include "session.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <jansson.h>

#include "log.h"
#include "session_private.h"

#define DATE_MAX 40

/* RFC 9110 section 6.6.1, made once a second. */
static const char *
date_line(size_t *len)
{
	static char line[DATE_MAX];
	static size_t line_len;
	static time_t made;
	time_t now = time(NULL);
	struct tm tm;

	if (now != made) {
		gmtime_r(&now, &tm);
		line_len = strftime(line, sizeof(line),
		    "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &tm);
		made = now;
	}
	*len = line_len;
	return line;
}

static const char *
standard_reason(unsigned status)
{
	static const struct {
		unsigned status;
		const char *reason;
	} reasons[] = {
	    {200, "OK"},
	    {400, "Bad Request"},
	    {404, "Not Found"},
	    {405, "Method Not Allowed"},
	    {408, "Request Timeout"},
	    {413, "Content Too Large"},
	    {431, "Request Header Fields Too Large"},
	    {500, "Internal Server Error"},
	    {501, "Not Implemented"},
	    {502, "Bad Gateway"},
	    {503, "Service Unavailable"},
	    {504, "Gateway Timeout"},
	    {505, "HTTP Version Not Supported"},
	};

	for (size_t i = 0; i < sizeof(reasons) / sizeof(*reasons); i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	return "";
}

static void
add_status_line(struct text *t, const struct session_response *r)
{
	text_add(t, "HTTP/1.1 ", 9);
	text_add_uint(t, r->status);
	text_add(t, " ", 1);
	if (r->reason != NULL)
		text_add(t, r->reason, r->reason_len);
	else
		text_add_str(t, standard_reason(r->status));
	text_add(t, "\r\n", 2);
}

/* RFC 9112 section 6: how the end of the body will be told. */
static void
add_framing(struct session *s, const struct session_response *r)
{
	struct text *t = &s->head_text;
	bool bodiless =
	    r->status == 204 || r->status == 304 || r->status / 100 == 1;

	s->no_body = r->no_body || bodiless;
	s->has_length = r->length != SESSION_LENGTH_UNKNOWN;
	s->length_left = s->has_length && !s->no_body ? r->length : 0;
	s->chunked =
	    !s->has_length && !bodiless && s->message.parser.http_minor == 1;
	if (s->has_length && (!bodiless || r->status == 304)) {
		text_add(t, "Content-Length: ", 16);
		text_add_uint(t, r->length);
		text_add(t, "\r\n", 2);
	} else if (s->chunked) {
		text_add(t, "Transfer-Encoding: chunked\r\n", 28);
	} else if (!s->no_body) {
		s->close_after = true;
	}
}

static void
add_connection(struct session *s)
{
	/* A body that will not be read makes the next request unfindable. */
	if (!s->body_ended || s->context->draining)
		s->close_after = true;
	if (s->close_after)
		text_add(&s->head_text, "Connection: close\r\n", 19);
	else if (s->message.parser.http_minor == 0)
		text_add(&s->head_text, "Connection: keep-alive\r\n", 24);
}

struct text *
session_begin(struct session *s, const struct session_response *response)
{
	size_t len;
	const char *date;

	CHECK(s->state == SESSION_ACTIVE && !s->begun);
	s->begun = true;
	s->status = response->status;
	s->response_bytes = 0;
	s->head = buffer_get(s->context->buffers);
	if (s->head == NULL) {
		/* Nothing to write it in: all appends fall flat, and the
		 * first write finds out. */
		text_init(&s->head_text, NULL, 0);
		session_close_soon(s, SESSION_CLOSE_MEMORY);
		return &s->head_text;
	}
	text_init(&s->head_text, s->head->data, BUFFER_BYTES);
	add_status_line(&s->head_text, response);
	if (!response->no_date) {
		date = date_line(&len);
		text_add(&s->head_text, date, len);
	}
	add_framing(s, response);
	return &s->head_text;
}

/* The pieces of one write, at most: head, chunk size, data, chunk end. */
struct pieces {
	struct iovec iov[4];
	int count;
	char size_line[20];
};

static void
add_piece(struct pieces *p, const void *data, size_t len)
{
	p->iov[p->count].iov_base = (void *)(uintptr_t)data;
	p->iov[p->count].iov_len = len;
	p->count++;
}

static void
add_chunked(struct pieces *p, const void *data, size_t len, bool last)
{
	static const char ends[] = "\r\n0\r\n\r\n";
	struct text line;

	if (len > 0) {
		text_init(&line, p->size_line, sizeof(p->size_line));
		text_add_hex(&line, len);
		text_add(&line, "\r\n", 2);
		add_piece(p, line.data, line.len);
		add_piece(p, data, len);
		add_piece(p, ends, last ? 7 : 2);
	} else if (last) {
		add_piece(p, ends + 2, 5);
	}
}

/* False: the owner broke its promise of a length, or there is no memory. */
static bool
gather(struct session *s, struct pieces *p, const void *data, size_t len,
    bool last)
{
	if (s->head != NULL) {
		add_connection(s);
		text_add(&s->head_text, "\r\n", 2);
		if (text_is_full(&s->head_text))
			return false;
		add_piece(p, s->head_text.data, s->head_text.len);
	} else if (s->response_bytes == 0 && text_is_full(&s->head_text)) {
		return false;
	}
	if (s->no_body) {
		return true;
	} else if (s->chunked) {
		add_chunked(p, data, len, last);
	} else {
		if (s->has_length) {
			if (len > s->length_left ||
			    (last && len < s->length_left))
				return false;
			s->length_left -= len;
		}
		if (len > 0)
			add_piece(p, data, len);
	}
	s->response_bytes += len;
	return true;
}

void
session_write(struct session *s, const void *data, size_t len, bool last)
{
	struct pieces p = {.count = 0};
	size_t total = 0;

	if (!session_is_answerable(s))
		return;
	CHECK(s->begun);
	if (!gather(s, &p, data, len, last)) {
		session_cut(s);
		return;
	}
	for (int i = 0; i < p.count; i++)
		total += p.iov[i].iov_len;
	if (total > 0 && io_write(&s->io, p.iov, p.count) == -1) {
		session_close_soon(s, SESSION_CLOSE_RESET);
		return;
	}
	if (s->context->bytes_out != NULL)
		*s->context->bytes_out += total;
	buffer_put(s->context->buffers, s->head);
	s->head = NULL;
	if (io_backlog(&s->io) > 0) {
		s->had_backlog = true;
		session_update_deadline(s);
	}
	if (last)
		session_response_done(s);
}

void
session_cut(struct session *s)
{
	session_close_soon(s, SESSION_CLOSE_CUT);
}

void
session_reply(struct session *s, unsigned status, const char *type,
    const char *extra, const void *body, size_t len)
{
	struct session_response response = {
	    .status = status,
	    .length = len,
	    .no_body =
		s->message.head_done && s->message.parser.method == HTTP_HEAD,
	};
	struct text *head;

	if (!session_is_answerable(s))
		return;
	head = session_begin(s, &response);
	text_add_str(head, "Server: drover\r\n");
	if (type != NULL) {
		text_add_str(head, "Content-Type: ");
		text_add_str(head, type);
		text_add(head, "\r\n", 2);
	}
	if (extra != NULL)
		text_add_str(head, extra);
	session_write(s, body, len, true);
}

void
session_reply_error(struct session *s, unsigned status, const char *what)
{
	json_t *json =
	    json_pack("{s:s, s:i}", "error", what, "status", (int)status);
	char *text = json != NULL ? json_dumps(json, JSON_COMPACT) : NULL;

	if (text != NULL)
		session_reply(
		    s, status, "application/json", NULL, text, strlen(text));
	else
		session_reply(s, status, NULL, NULL, NULL, 0);
	free(text);
	json_decref(json);
}
