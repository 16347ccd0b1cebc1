/* chains - the one list of the stages that requests pass through, in their
 * order, and of what observes requests. */
#include "access_log.h"
#include "admission.h"
#include "chain.h"
#include "exchange.h"
#include "handler.h"
#include "last_hop.h"
#include "no_route.h"
#include "request.h"
#include "respond.h"

const struct stage *const chain_stages[] = {
    &last_hop_stage,
    &no_route_stage,
    &admission_stage,
    /* A route has one of these. */
    &exchange_stage,
    &respond_stage,
#define X(symbol, name) &name##_stage,
    CONFIG_HANDLERS(X)
#undef X
	NULL,
};

const struct request_hooks request_hooks = {.log = access_log_add};
