#include "parser_error.h"

static const struct {
	unsigned status;
	const char *text;
} errors[] = {
#define X(symbol, status, text) [PARSER_##symbol] = {status, text},
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
