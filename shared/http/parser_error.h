/*
 * parser_error - the errors of an HTTP/1 message: the status for the client,
 * the fault when the message is a response, the key of a limit, and the text
 * for both the client and the log.
 *
 * A response with an error is a 502 for the client. The fault decides whether
 * the service has failed:
 *
 * - SENDER: the bytes are no HTTP/1, or end half-way, or break a protocol that
 *   both sides have agreed on. The failure counts for breaker and ejection;
 * - OURS: the response may be what the application wants to say, and a limit or
 *   a check of this parser refuses the response. A single URL must not take a
 *   service down so, and nothing counts.
 */
#ifndef PARSER_ERROR_H
#define PARSER_ERROR_H

/* Symbol, status for the client, fault of a response, last part of the limit's
 * key or "", text. */
#define PARSER_ERRORS(X)                                                       \
	X(NONE, 200, OURS, "", "no error")                                     \
	X(SYNTAX, 400, SENDER, "", "malformed HTTP start line")                \
	X(VERSION, 505, SENDER, "", "HTTP version not supported")              \
	X(PREFACE, 400, SENDER, "", "HTTP/2 is not spoken on this port")       \
	X(LINE_ENDS, 400, OURS, "",                                            \
	    "a line must end in CRLF and must not be folded")                  \
	X(REASON, 400, OURS, "", "control character in the reason phrase")     \
	X(FIELD_NAME, 400, OURS, "",                                           \
	    "a field must begin with a name and a colon")                      \
	X(FIELD_VALUE, 400, OURS, "", "control character in a field")          \
	X(TARGET, 400, OURS, "", "invalid request target")                     \
	X(NUL, 400, OURS, "", "%00 in the request target")                     \
	X(PATH_ESCAPE, 400, OURS, "",                                          \
	    "a % in the path must begin an escape like %25")                   \
	X(PATH_ROOT, 400, OURS, "", "the path leads above the root")           \
	X(PATH_DOTS, 400, OURS, "",                                            \
	    "dot segments are refused (client.path.dot_segments)")             \
	X(PATH_EMPTY, 400, OURS, "",                                           \
	    "empty segments are refused (client.path.empty_segments)")         \
	X(PATH_PLAIN, 400, OURS, "",                                           \
	    "escapes of plain characters are refused (client.path.escapes)")   \
	X(PATH_SLASH, 400, OURS, "",                                           \
	    "%2F in the path is refused (client.path.encoded_slash)")          \
	X(PATH_BACKSLASH, 400, OURS, "",                                       \
	    "a backslash in the path is refused (client.path.backslash)")      \
	X(HOST, 400, OURS, "", "exactly one valid Host is required")           \
	X(LENGTH, 400, OURS, "", "ambiguous or invalid Content-Length")        \
	X(CODING, 400, OURS, "", "Transfer-Encoding must be chunked alone")    \
	X(CODING_UNKNOWN, 501, OURS, "", "unknown Transfer-Encoding")          \
	X(OPTIONS, 431, OURS, "", "Connection names too many fields")          \
	X(MAX_FORWARDS, 400, OURS, "", "Max-Forwards must be a number")        \
	X(TRACE_BODY, 400, OURS, "", "TRACE must have no body")                \
	X(SWITCH, 400, SENDER, "",                                             \
	    "a 101 must name its protocol in Upgrade and Connection")          \
	X(CHUNK, 400, SENDER, "", "malformed chunked body")                    \
	X(METHOD, 501, OURS, "", "method not supported")                       \
	X(EXPECTATION, 417, OURS, "", "only 100-continue can be expected")     \
	X(TARGET_TOO_LONG, 414, OURS, "target", "request target too long")     \
	X(HEAD_TOO_LARGE, 431, OURS, "headers", "head or trailers too large")  \
	X(BODY_TOO_LARGE, 413, OURS, "body", "request body too large")         \
	X(INTERIMS, 400, OURS, "", "too many interim responses")               \
	X(MEMORY, 503, OURS, "", "out of memory")                              \
	X(EOF, 400, SENDER, "", "connection closed inside a message")

enum parser_error {
#define X(symbol, status, fault, key, text) PARSER_##symbol,
	PARSER_ERRORS(X)
#undef X
};

unsigned parser_error_status(enum parser_error error);
const char *parser_error_str(enum parser_error error);
/* The last part of the key that sets the limit; "": no limit. */
const char *parser_error_key(enum parser_error error);
/* The error of a response: EBADMSG, the sender's; EPROTO, ours; EPIPE, the
 * sender has closed the connection; ENOBUFS, no memory. */
int parser_error_errno(enum parser_error error);

#endif
