#include "failure.h"

#include "config.h"
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

static unsigned
status_retry_on(unsigned status)
{
	switch (status) {
	case 502:
		return 1U << CONFIG_RETRY_502;
	case 503:
		return 1U << CONFIG_RETRY_503;
	case 504:
		return 1U << CONFIG_RETRY_504;
	default:
		return 0;
	}
}

unsigned
failure_retry_on(enum failure failure, unsigned status)
{
	switch (failure) {
	case FAILURE_REFUSED:
	case FAILURE_UNREACHABLE:
	case FAILURE_CONNECT_TIMEOUT:
		return 1U << CONFIG_RETRY_CONNECT;
	case FAILURE_LOST:
	case FAILURE_INVALID:
	case FAILURE_SWITCHED:
		return 1U << CONFIG_RETRY_RESET;
	case FAILURE_SEND_TIMEOUT:
	case FAILURE_READ_TIMEOUT:
		return 1U << CONFIG_RETRY_TIMEOUT;
	case FAILURE_BAD_STATUS:
		return status_retry_on(status);
	case FAILURE_NO_ADDRESS:
	case FAILURE_DRAINED:
	case FAILURE_QUEUE_FULL:
	case FAILURE_QUEUE_TIMEOUT:
	case FAILURE_OVERLOADED:
	case FAILURE_TUNNELS_FULL:
	case FAILURE_UNFIT:
	case FAILURE_SHORTAGE:
	case FAILURE_TUNNEL_IDLE:
		break;
	}
	return 0;
}
