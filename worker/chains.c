/* chains - the one list of what answers a request, and of what observes it. */
#include "access_log.h"
#include "exchange.h"
#include "handler.h"
#include "last_hop.h"
#include "request.h"
#include "respond.h"

static void
start(struct request *request, const struct config_route *route)
{
	if (route->service >= 0)
		exchange_start(request, route);
	else if (route->has_respond)
		respond_start(request, &route->respond);
	else
		handler_start(request, route->handler);
}

const struct request_hooks request_hooks = {
    .start = start,
    .is_last_hop = last_hop_is_for,
    .last_hop = last_hop_start,
    .log = access_log_add,
};
