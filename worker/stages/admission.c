#include "admission.h"

#include "breakers.h"
#include "request.h"
#include "service.h"

struct admission {
	struct request *request;
	struct breakers_ticket ticket;
};

static bool
is_for(const struct config_route *route)
{
	return route != NULL && route->service >= 0;
}

static struct service *
service_of(const struct request *r)
{
	return r->runtime->services[r->route->service];
}

static void
reject(struct request *r)
{
	static const struct request_failure open = {
	    503, "circuit_open", "circuit open"};

	counter_add(&service_of(r)->totals[SCOREBOARD_SERVICE_REJECTED], 1);
	r->record.breaker = breaker_state_str(BREAKER_OPEN);
	request_fail(r, &open,
	    breakers_retry_after_s(r->runtime->breakers, service_of(r)->index));
}

static void
admit(struct request *r)
{
	if (service_of(r)->config->breaker.failures != 0)
		r->record.breaker = breaker_state_str(
		    r->ticket->admission.is_probe ? BREAKER_HALF_OPEN
						  : BREAKER_CLOSED);
}

static void
on_verdict(void *arg, bool admitted)
{
	struct admission *a = arg;

	if (!admitted) {
		reject(a->request);
		return;
	}
	admit(a->request);
	request_resume(a->request);
}

static enum stage_verdict
begin(struct request *r, void *state)
{
	struct admission *a = state;
	struct service *service = service_of(r);

	a->request = r;
	r->ticket = &a->ticket;
	r->record.service = service->config->name;
	counter_add(&service->totals[SCOREBOARD_SERVICE_REQUESTS], 1);
	counter_gauge(service->in_flight, 1);
	breakers_ticket_init(&a->ticket, on_verdict, NULL, a);
	switch (breakers_check(
	    r->runtime->breakers, (unsigned)r->route->service, &a->ticket)) {
	case BREAKERS_ADMITTED:
		admit(r);
		return STAGE_NEXT;
	case BREAKERS_ASKING:
		return STAGE_WAIT;
	case BREAKERS_REJECTED:
		break;
	}
	reject(r);
	return STAGE_DONE;
}

static void
end(struct request *r, void *state)
{
	struct admission *a = state;

	counter_gauge(service_of(r)->in_flight, -1);
	breakers_release(r->runtime->breakers, &a->ticket);
}

const struct stage admission_stage = {
    .name = "admission",
    .is_for = is_for,
    .state_bytes = sizeof(struct admission),
    .begin = begin,
    .end = end,
};
