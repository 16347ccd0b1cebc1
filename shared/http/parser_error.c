#include "parser_error.h"

#include <errno.h>

enum fault {
	OURS,
	SENDER,
};

static const struct {
	unsigned status;
	enum fault fault;
	const char *key;
	const char *text;
} errors[] = {
#define X(symbol, status, fault, key, text)                                    \
	[PARSER_##symbol] = {status, fault, key, text},
    PARSER_ERRORS(X)
#undef X
};

unsigned
parser_error_status(enum parser_error error)
{
	return errors[error].status;
}

const char *
parser_error_str(enum parser_error error)
{
	return errors[error].text;
}

const char *
parser_error_key(enum parser_error error)
{
	return errors[error].key;
}

int
parser_error_errno(enum parser_error error)
{
	if (error == PARSER_EOF)
		return EPIPE;
	if (error == PARSER_MEMORY)
		return ENOBUFS;
	return errors[error].fault == SENDER ? EBADMSG : EPROTO;
}
