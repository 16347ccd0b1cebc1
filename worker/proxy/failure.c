#include "failure.h"

#include "request.h"

static const struct request_failure failures[] = {
#define X(symbol, status, word, text) [FAILURE_##symbol] = {status, word, text},
    FAILURES(X)
#undef X
};

const struct request_failure *
failure_row(enum failure failure)
{
	return &failures[failure];
}

bool
failure_is_unreachable(enum failure failure)
{
	return failure == FAILURE_REFUSED || failure == FAILURE_UNREACHABLE ||
	       failure == FAILURE_CONNECT_TIMEOUT;
}
