/*
 * parser - one HTTP/1.1 message being read: a strict scan of the head's bytes,
 * llhttp in strict mode for its start line and any Transfer-Encoding, chunk.h
 * for the chunked coding, and the checks that all leave to us.
 *
 * Both processes, requests and responses. Pure: bytes in, a head (head.h) and
 * the bytes of a body out.
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
#ifndef PARSER_H
#define PARSER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <llhttp.h>

#include "chunk.h"
#include "head.h"
#include "parser_error.h"
#include "parser_scan.h"
#include "slice.h"

/* The most that a configuration may allow a head; a block holds more. */
#define PARSER_HEAD_MAX 16384

struct parser_limits {
	size_t head_bytes;   /* also of a chunked body's framing, see chunk.h */
	size_t target_bytes; /* of a request's target; 0: head_bytes holds */
	uint64_t body_bytes; /* decoded; 0: no limit */
};

struct parser {
	llhttp_t parser; /* of the start line and Transfer-Encoding */
	struct parser_scan scan;
	struct parser_limits limits;
	struct chunk_decoder chunks;
	enum parser_error error;
	uint64_t head_bytes; /* so far */
	uint64_t body_bytes; /* so far, decoded */
	bool head_done;
	bool done;
	bool no_body; /* a response to HEAD */
	/* The body bytes of the last feed, decoded, inside the fed bytes. */
	struct slice body;
	/* Once done, of a chunked body: the trailer section's lines, each
	 * with its CRLF, inside the last fed bytes. head_next_field(). */
	struct slice trailers;
	/* Valid while the caller's buffer holds the head's bytes. Last: its
	 * fields are not cleared between messages. */
	struct head head;
};

/* Readies m for a new message; no_body: a response to a HEAD request.
 * limits are copied. */
void parser_init_request(struct parser *m, const struct parser_limits *limits);
void parser_init_response(struct parser *m, size_t head_max, bool no_body);

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
size_t parser_feed(struct parser *m, char *data, size_t len);
/* The peer closed. Ends a message that lasts until then; else m->error. */
void parser_finish(struct parser *m);

#endif
