/*
 * parser - the reader of one HTTP/1.1 message. A strict scan reads the head's
 * bytes, llhttp in strict mode the start line and any Transfer-Encoding,
 * chunk.h the chunked coding. The checks that all three leave out are made
 * here.
 *
 * Both processes, requests and responses. Pure: bytes in, a head (head.h) and
 * the bytes of a body out.
 *
 * Rejected beyond llhttp's own checks (RFC 9112 sections 2.2, 3, 3.2, 5, 6.1 to
 * 6.3, 7.1):
 *
 * - versions other than 1.0 and 1.1, HTTP/0.9, the preface of HTTP/2;
 * - bare CR and bare LF, control characters (except HTAB in a value), obs-fold,
 *   white space before a colon, a field name that is no token;
 * - a status line without exactly three digits;
 * - a request with several Hosts, with none (1.1), or with a Host that is no
 *   host[:port];
 * - Content-Length with Transfer-Encoding, several Content-Lengths, or a
 *   Content-Length that is no number below 2^63;
 * - any Transfer-Encoding but a single `chunked`, and `chunked` in HTTP/1.0;
 * - a target that is neither absolute-path, absolute http(s) URI without
 *   userinfo, nor `*` (for OPTIONS);
 * - "%00" in a target, and a path without a normal form (path.h). A lone `%` in
 *   a query passes: browsers send it so.
 *
 * Also rejected, as RFC 9110 lets or has a proxy do: CONNECT and methods
 * outside HTTP, an unknown expectation (section 10.1.1), a Max-Forwards that is
 * no number (7.6.2), TRACE with a body (9.3.8).
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
#include "path.h"
#include "slice.h"

/* The configuration's upper limits. A block holds a head of this size, and the
 * same head with the fields that a proxy adds. */
#define PARSER_HEAD_MAX 65536
#define PARSER_TARGET_MAX 16384

struct parser_limits {
	size_t head_bytes;   /* also of a chunked body's framing, see chunk.h */
	size_t target_bytes; /* of a request's target; 0: head_bytes holds */
	uint64_t body_bytes; /* decoded; 0: no limit */
};

struct parser {
	llhttp_t parser; /* of the start line and Transfer-Encoding */
	struct parser_scan scan;
	struct parser_limits limits;
	/* For a path that is not in normal form. */
	const struct path_rules *path_rules;
	char *room;
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
	/* Valid while the caller's buffer holds the head's bytes. Last: the
	 * head's fields are not cleared between messages. */
	struct head head;
};

/* Readies m for a new message; no_body: a response to a HEAD request.
 * limits are copied. room: for a changed path, as large as a target may be, and
 * kept as long as the head is used. After a message with many fields
 * head_drop_fields() comes first: m may hold memory for the fields. */
void parser_init_request(struct parser *m, const struct parser_limits *limits,
    const struct path_rules *rules, char *room);
void parser_init_response(struct parser *m, size_t head_max, bool no_body);

/*
 * Parses data. Until the head is done, data must follow in memory on the bytes
 * fed before, and stay in place while the head is used. Decodes the body in
 * place: m->body then holds the result. Returns the bytes taken.
 *
 * Fewer than len: the message is done or wrong (m->error), or the rest is an
 * incomplete size line of a chunk or trailer section. Such a rest is only taken
 * whole, and is always shorter than limits.head_bytes: feed the rest again,
 * with the following bytes behind. An error takes and gives nothing.
 */
size_t parser_feed(struct parser *m, char *data, size_t len);
/* The peer closed. Ends a message without another end; else m->error. */
void parser_finish(struct parser *m);

#endif
