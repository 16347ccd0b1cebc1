/*
 * parser_error - the errors of an HTTP/1 message. A row has the status for the
 * client, and the text for both the client and the log.
 */
#ifndef PARSER_ERROR_H
#define PARSER_ERROR_H

/* Symbol, status for the client, text. */
#define PARSER_ERRORS(X)                                                       \
	X(NONE, 200, "no error")                                               \
	X(SYNTAX, 400, "malformed HTTP")                                       \
	X(LINE_ENDS, 400, "a line must end in CRLF and must not be folded")    \
	X(VERSION, 505, "HTTP version not supported")                          \
	X(TARGET, 400, "invalid request target")                               \
	X(NUL, 400, "%00 in the request target")                               \
	X(PATH_ESCAPE, 400, "a % in the path must begin an escape like %25")   \
	X(PATH_ROOT, 400, "the path leads above the root")                     \
	X(PATH_DOTS, 400,                                                      \
	    "dot segments are refused (client.path.dot_segments)")             \
	X(PATH_EMPTY, 400,                                                     \
	    "empty segments are refused (client.path.empty_segments)")         \
	X(PATH_PLAIN, 400,                                                     \
	    "escapes of plain characters are refused (client.path.escapes)")   \
	X(PATH_SLASH, 400,                                                     \
	    "%2F in the path is refused (client.path.encoded_slash)")          \
	X(PATH_BACKSLASH, 400,                                                 \
	    "a backslash in the path is refused (client.path.backslash)")      \
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

enum parser_error {
#define X(symbol, status, text) PARSER_##symbol,
	PARSER_ERRORS(X)
#undef X
};

unsigned parser_error_status(enum parser_error error);
const char *parser_error_str(enum parser_error error);

#endif
