/*
 * message - one HTTP/1.1 message being read: llhttp in strict mode, and the
 * checks that it leaves to us.
 *
 * Both processes, requests and responses. Pure: bytes in, facts out.
 *
 * Rejected beyond what llhttp rejects (RFC 9112 sections 2.2, 3.2, 5.2, 6.1
 * to 6.3): HTTP/0.9 and versions other than 1.0 and 1.1, bare CR and bare LF
 * in the head, NUL, obs-fold, a request with no Host (1.1) or several or an
 * invalid one, Content-Length with Transfer-Encoding, several
 * Content-Lengths, any transfer coding but a single `chunked`, and a target
 * that is neither absolute-path, absolute URI nor `*`.
 */
#ifndef MESSAGE_H
#define MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <llhttp.h>

#define MESSAGE_HEADERS_MAX 100

/* What is wrong: symbol, status for the client, text. */
#define MESSAGE_ERRORS(X)                                                      \
	X(NONE, 200, "no error")                                               \
	X(SYNTAX, 400, "malformed HTTP")                                       \
	X(LINE_ENDS, 400, "a line must end in CRLF and must not be folded")    \
	X(VERSION, 505, "HTTP version not supported")                          \
	X(TARGET, 400, "invalid request target")                               \
	X(HOST, 400, "exactly one valid Host is required")                     \
	X(LENGTH, 400, "ambiguous or invalid Content-Length")                  \
	X(CODING, 400, "unsupported Transfer-Encoding")                        \
	X(METHOD, 501, "method not supported")                                 \
	X(HEAD_TOO_LARGE, 431, "request head too large")                       \
	X(BODY_TOO_LARGE, 413, "request body too large")                       \
	X(EOF, 400, "connection closed inside a message")

enum message_error {
#define X(symbol, status, text) MESSAGE_##symbol,
	MESSAGE_ERRORS(X)
#undef X
};

/* Headers that somebody here has to know without a string comparison. */
enum message_field {
	FIELD_OTHER,
	FIELD_CONNECTION,
	FIELD_CONTENT_LENGTH,
	FIELD_DATE,
	FIELD_EXPECT,
	FIELD_HOST,
	FIELD_HOP_BY_HOP, /* Keep-Alive, Proxy-Connection, TE, Trailer ... */
	FIELD_TRANSFER_ENCODING,
	FIELD_UPGRADE,
	FIELD_X_FORWARDED_FOR,
	FIELD_X_FORWARDED_PROTO,
	FIELD_X_REAL_IP,
};

struct message_slice {
	const char *at;
	size_t len;
};

struct message_header {
	struct message_slice name;
	struct message_slice value; /* without the white space around it */
	enum message_field field;
	bool nominated; /* named by Connection, so hop-by-hop */
};

struct message {
	llhttp_t parser;
	enum message_error error;
	size_t head_max;
	uint64_t body_max;   /* 0: none */
	uint64_t head_bytes; /* so far */
	uint64_t body_bytes; /* so far, decoded */
	uint64_t idle_bytes; /* of a chunked body since it last gave a byte */
	bool head_done;
	bool done;
	bool no_body; /* a response to HEAD */
	bool chunked;
	bool has_length;
	bool keep_alive;
	bool expects_continue;
	bool in_value; /* parsing: the last header's name is whole */
	bool is_response;
	const char *head; /* parsing: where the head begins */
	uint64_t length;  /* Content-Length, when has_length */
	/* Valid while the caller's buffer holds the head. */
	struct message_slice target; /* requests: as sent */
	struct message_slice path;   /* requests: origin-form with query */
	struct message_slice host;   /* requests: Host, or the URI's */
	struct message_slice reason; /* responses */
	size_t header_count;
	/* The body bytes of the last feed, decoded, inside the fed bytes. */
	struct message_slice body;
	/* Last, and not cleared between messages. */
	struct message_header headers[MESSAGE_HEADERS_MAX];
};

/* Readies m for a new message; no_body: a response to a HEAD request. */
void message_init_request(
    struct message *m, size_t head_max, uint64_t body_max);
void message_init_response(struct message *m, size_t head_max, bool no_body);

/*
 * Parses data, which must follow in memory on what was fed before until the
 * head is done, and stay put while the head is used. Decodes the body in
 * place: m->body then holds what these bytes gave. Returns the bytes taken;
 * fewer than len only when the message is done or wrong (m->error).
 */
size_t message_feed(struct message *m, char *data, size_t len);
/* The peer closed. Ends a message that lasts until then; else m->error. */
void message_finish(struct message *m);

bool message_has_body(const struct message *m);
/* 1xx: another response follows. */
bool message_is_interim(const struct message *m);
unsigned message_status(const struct message *m);
const char *message_method(const struct message *m);
bool message_is_idempotent(const struct message *m);
/* The value of a header, or NULL at; name in lower case. */
struct message_slice message_header(const struct message *m, const char *name);
/* A query parameter of m->path, not decoded; at NULL when there is none. */
struct message_slice message_query(const struct message *m, const char *name);
bool message_slice_is(struct message_slice s, const char *text);

unsigned message_error_status(enum message_error error);
const char *message_error_str(enum message_error error);

#endif
