#include "message_error.h"

static const struct {
	unsigned status;
	const char *text;
} errors[] = {
#define X(symbol, status, text) [MESSAGE_##symbol] = {status, text},
    MESSAGE_ERRORS(X)
#undef X
};

unsigned
message_error_status(enum message_error error)
{
	return errors[error].status;
}

const char *
message_error_str(enum message_error error)
{
	return errors[error].text;
}
