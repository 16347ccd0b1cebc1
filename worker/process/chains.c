/* chains - the only list of stages, in their order, and of the observers of
 * requests. */
#include "access_log.h"
#include "admission.h"
#include "chain.h"
#include "exchange.h"
#include "handler.h"
#include "last_hop.h"
#include "no_route.h"
#include "parameters.h"
#include "request.h"
#include "respond.h"

const struct stage *const chain_stages[] = {
    &last_hop_stage,
    &no_route_stage,
    &admission_stage,
    &parameters_stage,
    /* A route has a single stage of the following. */
    &exchange_stage,
    &respond_stage,
#define X(symbol, name) &name##_stage,
    CONFIG_HANDLERS(X)
#undef X
	NULL,
};

const struct request_hooks request_hooks = {.log = access_log_add};
