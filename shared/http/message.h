/*
 * message - one HTTP/1.1 message being read: a strict scan of the head's bytes,
 * llhttp in strict mode for its start line and any Transfer-Encoding, chunk.h
 * for the chunked coding, and the checks that all leave to us.
 *
 * Both processes, requests and responses. Pure: bytes in, facts out.
 *
 * Rejected beyond what llhttp rejects (RFC 9112 sections 2.2, 3, 3.2, 5, 6.1
 * to 6.3, 7.1): HTTP/0.9 and versions other than 1.0 and 1.1, the preface of
 * HTTP/2, bare CR and bare LF, control characters (HTAB in a value apart),
 * obs-fold, white space before a colon, a field name that is no token; a
 * status line without exactly three digits; a request with no Host (1.1) or
 * several or one that is no host[:port]; Content-Length with
 * Transfer-Encoding, several Content-Lengths or one that is no number below
 * 2^63; any Transfer-Encoding but a single `chunked`, and in HTTP/1.0 that
 * too; and a target that is neither absolute-path, absolute http(s) URI
 * without userinfo, nor `*` (for OPTIONS).
 *
 * And what RFC 9110 lets a proxy refuse or has it judge: methods that are not
 * HTTP's and CONNECT, an expectation that nobody here knows (section 10.1.1), a
 * Max-Forwards that is no number (7.6.2), TRACE with a body (9.3.8).
 */
#ifndef MESSAGE_H
#define MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <llhttp.h>

#include "chunk.h"
#include "slice.h"

#define MESSAGE_HEADERS_MAX 100
#define MESSAGE_NOMINATED_MAX 8
/* The most that a configuration may allow a head; a block holds more. */
#define MESSAGE_HEAD_MAX 16384

/* What is wrong: symbol, status for the client, text. */
#define MESSAGE_ERRORS(X)                                                      \
	X(NONE, 200, "no error")                                               \
	X(SYNTAX, 400, "malformed HTTP")                                       \
	X(LINE_ENDS, 400, "a line must end in CRLF and must not be folded")    \
	X(VERSION, 505, "HTTP version not supported")                          \
	X(TARGET, 400, "invalid request target")                               \
	X(HOST, 400, "exactly one valid Host is required")                     \
	X(LENGTH, 400, "ambiguous or invalid Content-Length")                  \
	X(CODING, 400, "Transfer-Encoding must be chunked alone")              \
	X(CODING_UNKNOWN, 501, "unknown Transfer-Encoding")                    \
	X(CHUNK, 400, "malformed chunked body")                                \
	X(PREFACE, 400, "HTTP/2 is not spoken on this port")                   \
	X(METHOD, 501, "method not supported")                                 \
	X(EXPECTATION, 417, "only 100-continue can be expected")               \
	X(TARGET_TOO_LONG, 414, "request target too long")                     \
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
	FIELD_COOKIE,
	FIELD_DATE,
	FIELD_EXPECT,
	FIELD_HOST,
	FIELD_HOP_BY_HOP, /* Keep-Alive, Proxy-Connection, HTTP2-Settings ... */
	FIELD_MAX_FORWARDS,
	FIELD_TE,
	FIELD_TRACEPARENT,
	FIELD_TRACESTATE,
	FIELD_TRAILER,
	FIELD_TRANSFER_ENCODING,
	FIELD_UPGRADE,
	FIELD_VIA,
	FIELD_X_FORWARDED_FOR,
	FIELD_X_FORWARDED_PROTO,
	FIELD_X_REAL_IP,
	FIELD_X_REQUEST_ID,
};

struct message_header {
	struct slice name;
	struct slice value; /* without the white space around it */
	enum message_field field;
	bool nominated; /* named by Connection, so hop-by-hop */
};

struct message_limits {
	size_t head_bytes;   /* also of a chunked body's framing, see chunk.h */
	size_t target_bytes; /* of a request's target; 0: head_bytes holds */
	uint64_t body_bytes; /* decoded; 0: no limit */
};

struct message {
	llhttp_t parser; /* of the head */
	struct chunk_decoder chunks;
	enum message_error error;
	struct message_limits limits;
	uint64_t head_bytes; /* so far */
	uint64_t body_bytes; /* so far, decoded */
	bool head_done;
	bool done;
	bool no_body; /* a response to HEAD */
	bool chunked;
	bool has_length;
	bool keep_alive;
	bool expects_continue; /* HTTP/1.1 with a body */
	bool accepts_trailers; /* TE: trailers */
	/* An HTTP/1.1 request without a body asks for another protocol than
	 * h2c; a response is 101 and names one. The first such element of
	 * Upgrade is in `upgrade`, which a response of status 426 may have,
	 * too. */
	bool upgrades;
	bool is_response;
	uint8_t scan;     /* message_scan.c: where in the head it is */
	const char *mark; /* and where what it reads now began */
	const char *head; /* its start line */
	uint64_t length;  /* Content-Length, when has_length */
	/* Valid while the caller's buffer holds the head. */
	struct slice target; /* requests: as sent; but see path */
	/* Requests: origin-form with query, or `*`. The URI "http://a?q" has
	 * the path "/?q": that slash is put in, in the target too. */
	struct slice path;
	struct slice host;   /* requests: Host, or the URI's */
	struct slice reason; /* responses */
	struct slice upgrade;
	/* Hashes of what Connection names: for trailers, which come when the
	 * head is gone. message_nominates(). */
	uint32_t nominated[MESSAGE_NOMINATED_MAX];
	unsigned nominated_count; /* all of them, kept or not */
	int max_forwards;         /* -1: none, or not OPTIONS or TRACE */
	size_t header_count;
	/* The body bytes of the last feed, decoded, inside the fed bytes. */
	struct slice body;
	/* Once done, of a chunked body: the trailer section's lines, each
	 * with its CRLF, inside the last fed bytes. message_next_field(). */
	struct slice trailers;
	/* Last, and not cleared between messages. */
	struct message_header headers[MESSAGE_HEADERS_MAX];
};

/* Readies m for a new message; no_body: a response to a HEAD request.
 * limits are copied. */
void message_init_request(
    struct message *m, const struct message_limits *limits);
void message_init_response(struct message *m, size_t head_max, bool no_body);

/*
 * Parses data, which must follow in memory on what was fed before until the
 * head is done, and stay put while the head is used. Decodes the body in
 * place: m->body then holds what these bytes gave. Returns the bytes taken.
 *
 * Fewer than len: the message is done or wrong (m->error); or, else, what was
 * left is the beginning of a chunk's size line or of the trailer section,
 * which are only taken whole. Feed it again with what follows it in memory; it
 * is always shorter than limits.head_bytes. An error takes and gives nothing.
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
struct slice message_header(const struct message *m, const char *name);
/* A query parameter of m->path, not decoded; at NULL when there is none. */
struct slice message_query(const struct message *m, const char *name);
/* A cookie of the Cookie headers; at NULL when there is none. */
struct slice message_cookie(const struct message *m, const char *name);
/* Takes the first line off lines (m->trailers); false: none is left. */
bool message_next_field(
    struct slice *lines, struct slice *name, struct slice *value);
/* Does Connection name that field? Of a head that is gone; where it named more
 * than MESSAGE_NOMINATED_MAX, anything. */
bool message_nominates(const struct message *m, struct slice name);

unsigned message_error_status(enum message_error error);
const char *message_error_str(enum message_error error);

#endif
