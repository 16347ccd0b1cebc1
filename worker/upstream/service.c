#include "service.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "address_set.h"
#include "errno_text.h"
#include "log.h"
#include "runtime.h"

/* The shortest time between two look-ups of a name, whatever the TTL. `resolve`
 * can shorten the first value, but not below the second. */
#define RESOLVE_FLOOR_US 1000000
#define RESOLVE_MIN_US 100000
_Static_assert(CONFIG_ENDPOINTS_MAX <= SERVICE_ENDPOINTS_MAX,
    "the addresses of the configuration have to fit");
#define RETRIED_MIN 3
#define RETRIED_PERCENT 20

/* ---- endpoints ---- */

static struct endpoint *
find_sticky(
    struct service *service, uint64_t number, const struct endpoint *avoid)
{
	uint64_t now_us = loop_now_us(service->runtime->loop);

	for (size_t i = 0; i < service->endpoint_count; i++) {
		struct endpoint *e = service->endpoints[i];

		if (e->number == number && e != avoid &&
		    endpoint_is_usable(e, now_us) && endpoint_has_room(e))
			return e;
	}
	return NULL;
}

static struct endpoint *
pick_by_policy(
    struct service *service, uint64_t hash, const struct endpoint *avoid)
{
	struct balance_candidate candidates[SERVICE_ENDPOINTS_MAX];
	enum config_policy policy = service->config->policy;
	struct balance_by by = {
	    .policy = policy, .ring = &service->ring, .hash = hash};
	bool by_load = policy == CONFIG_POLICY_LEAST_CONN ||
		       policy == CONFIG_POLICY_RANDOM_TWO;
	uint64_t now_us = loop_now_us(service->runtime->loop);
	int i;

	for (size_t k = 0; k < service->endpoint_count; k++) {
		struct endpoint *e = service->endpoints[k];

		candidates[k] = (struct balance_candidate){
		    .usable = endpoint_is_usable(e, now_us),
		    .full = !endpoint_has_room(e),
		    .avoid = e == avoid,
		    .weight = endpoint_weight(e, now_us),
		    .load = by_load ? endpoint_load(e) : 0,
		    .credit = &e->credit,
		};
	}
	i = balance_pick(
	    &service->balance, &by, candidates, service->endpoint_count);
	return i >= 0 ? service->endpoints[i] : NULL;
}

/* The next endpoint in turn, when all have the same share, without a look at
 * all. NULL: the shares differ, or the endpoint is unusable or full and its
 * share must be divided. */
static struct endpoint *
pick_next(struct service *service)
{
	struct endpoint *e;

	if (!service->is_even)
		return NULL;
	e = service->endpoints[service->turn];
	service->turn = (service->turn + 1) % service->endpoint_count;
	return endpoint_has_room(e) && endpoint_is_usable(e,
					   loop_now_us(service->runtime->loop))
		   ? e
		   : NULL;
}

struct endpoint *
service_pick(struct service *service, const struct affinity *affinity,
    const struct endpoint *avoid)
{
	struct endpoint *e = NULL;

	if (affinity->sticky != 0)
		e = find_sticky(service, affinity->sticky, avoid);
	/* A retry takes no turn. */
	if (e == NULL && avoid == NULL)
		e = pick_next(service);
	return e != NULL ? e : pick_by_policy(service, affinity->hash, avoid);
}

bool
service_has_other(const struct service *service, const struct endpoint *than)
{
	for (size_t i = 0; i < service->endpoint_count; i++)
		if (service->endpoints[i] != than &&
		    service->endpoints[i]->origin->weight != 0)
			return true;
	return false;
}

/* The set has changed: all endpoints begin anew, as equals. */
static void
rebalance(struct service *service)
{
	struct hash_ring_member members[SERVICE_ENDPOINTS_MAX];
	enum config_policy policy = service->config->policy;

	service->is_even = policy == CONFIG_POLICY_ROUND_ROBIN &&
			   service->config->slow_start_us == 0 &&
			   service->endpoint_count > 0;
	/* Workers that start together do not all begin with the same endpoint.
	 */
	if (service->endpoint_count > 0)
		service->turn =
		    service->balance.first % service->endpoint_count;
	for (size_t i = 0; i < service->endpoint_count; i++) {
		struct endpoint *e = service->endpoints[i];

		e->credit = 0;
		if (e->origin->weight == 0 ||
		    e->origin->weight != service->endpoints[0]->origin->weight)
			service->is_even = false;
		members[i].number = e->number;
		members[i].weight = e->origin->weight;
	}
	if (policy != CONFIG_POLICY_IP_HASH &&
	    policy != CONFIG_POLICY_CONSISTENT_HASH)
		return;
	if (hash_ring_build(&service->ring, members, service->endpoint_count) ==
	    -1)
		log_warn("service %s: no memory for its ring: requests go in "
			 "turn",
		    service->config->name);
}

static bool
add_endpoint(struct service *service, const struct sock_addr *addr,
    const struct config_endpoint *origin, uint64_t since_us)
{
	struct endpoint *e;

	e = endpoint_new(service->runtime, service->index, addr, origin);
	if (e == NULL)
		return false;
	e->service = service;
	e->since_us = since_us;
	service->endpoints[service->endpoint_count++] = e;
	return true;
}

/* True when a remaining endpoint has the place of e in the scoreboard. */
static bool
has_twin(const struct service *service, const struct endpoint *e)
{
	for (size_t i = 0; i < service->endpoint_count; i++)
		if (service->endpoints[i] != e &&
		    service->endpoints[i]->member == e->member)
			return true;
	return false;
}

static void
remove_endpoint(struct service *service, size_t i)
{
	struct endpoint *e = service->endpoints[i];

	service->endpoints[i] = service->endpoints[--service->endpoint_count];
	if (service->on_leave != NULL)
		service->on_leave(service, e);
	endpoint_leave(e, has_twin(service, e));
}

/* ---- names ---- */

/* One line, when the name begins to have too many addresses. Each worker sees
 * the same answer: the first worker speaks for all. */
static void
say_cut(struct service_name *name, const struct address_set *set)
{
	const struct service *service = name->service;
	bool is_cut = set->whole > set->count;

	if (is_cut && !name->is_cut && service->runtime->index == 0)
		log_warn("service %s: %s has %zu addresses; the lowest %zu are "
			 "used, the rest is left out",
		    service->config->name, name->config->name.host, set->whole,
		    set->count);
	name->is_cut = is_cut;
}

/* The addresses to use from now on: of the answer, and the known addresses of a
 * family without an answer. -1 with ENOMEM. */
static int
choose(struct service_name *name, const struct resolver_answer *answer,
    struct address_set *set)
{
	const struct service *service = name->service;
	size_t room = SERVICE_ENDPOINTS_MAX;

	if (address_set_init(set, answer->count + service->endpoint_count) ==
	    -1)
		return -1;
	for (size_t i = 0; i < answer->count; i++)
		address_set_add(set, &answer->addrs[i]);
	for (size_t i = 0; i < service->endpoint_count; i++) {
		const struct endpoint *e = service->endpoints[i];

		/* AF_UNSPEC is nobody's. */
		if (e->origin != name->config)
			room--;
		else if (e->addr.sa.sa_family == answer->unknown)
			address_set_add(set, &e->addr);
	}
	address_set_close(
	    set, room < SERVICE_NAME_MAX ? room : SERVICE_NAME_MAX);
	say_cut(name, set);
	return 0;
}

static void
apply_answer(struct service_name *name, const struct resolver_answer *answer)
{
	struct service *service = name->service;
	/* Endpoints from the start take over from nobody: no slow start. */
	uint64_t since_us =
	    name->found ? loop_now_us(service->runtime->loop) : 0;
	unsigned left = 0, joined = 0;
	struct address_set set;

	if (choose(name, answer, &set) == -1)
		return;
	for (size_t i = service->endpoint_count; i-- > 0;) {
		const struct endpoint *e = service->endpoints[i];

		if (e->origin == name->config &&
		    !address_set_take(&set, &e->addr)) {
			remove_endpoint(service, i);
			left++;
		}
	}
	for (size_t i = 0; i < set.count; i++)
		if (!set.members[i].taken)
			joined += add_endpoint(service, &set.members[i].addr,
			    name->config, since_us);
	address_set_fini(&set);
	if (left == 0 && joined == 0)
		return;
	rebalance(service);
	log_info("service %s: %s has %zu addresses, %u joined, %u left",
	    service->config->name, name->config->name.host, answer->count,
	    joined, left);
}

static void
ask_again(struct service_name *name, uint64_t ttl_us)
{
	const struct service *service = name->service;
	uint64_t us = ttl_us > RESOLVE_FLOOR_US ? ttl_us : RESOLVE_FLOOR_US;

	if (us > service->config->resolve_us)
		us = service->config->resolve_us;
	if (us < RESOLVE_MIN_US)
		us = RESOLVE_MIN_US;
	loop_timer_after(service->runtime->loop, &name->timer, us);
}

static void
on_answer(void *arg, const struct resolver_answer *answer)
{
	struct service_name *name = arg;
	struct service *service = name->service;
	bool found = answer->outcome == RESOLVER_FOUND;

	name->query = NULL;
	name->answered = true;
	/* A denial is an answer like any other. When the name servers fail, the
	 * known addresses stay in use. */
	if (answer->outcome != RESOLVER_FAILED)
		apply_answer(name, answer);
	if (answer->why != NULL && !name->failing)
		log_warn("service %s: %s: %s; %zu addresses in use",
		    service->config->name, name->config->name.host, answer->why,
		    service->endpoint_count);
	name->failing = answer->why != NULL;
	name->found |= found;
	ask_again(name, name->failing ? 0 : (uint64_t)answer->ttl_s * 1000000);
	if (service->on_change != NULL)
		service->on_change(service);
}

static void
on_resolve_timer(void *arg)
{
	struct service_name *name = arg;
	const struct service *service = name->service;
	struct resolver_name asked = {
	    .host = name->config->name.host,
	    .port = name->config->name.port,
	};

	for (size_t i = 0; i < service->endpoint_count; i++) {
		const struct endpoint *e = service->endpoints[i];

		if (e->origin != name->config)
			continue;
		asked.had_v4 |= e->addr.sa.sa_family == AF_INET;
		asked.had_v6 |= e->addr.sa.sa_family == AF_INET6;
	}
	name->query = resolver_query_again(
	    service->runtime->resolver, &asked, on_answer, name);
	if (name->query == NULL)
		ask_again(name, 0);
}

bool
service_is_resolving(const struct service *service)
{
	for (size_t i = 0; i < service->name_count; i++)
		if (!service->names[i].answered)
			return true;
	return false;
}

bool
service_takes_requests(const struct service *service)
{
	for (size_t i = 0; i < service->endpoint_count; i++)
		if (service->endpoints[i]->origin->weight != 0)
			return true;
	return service_is_resolving(service);
}

/* ---- the service ---- */

static void
add_name(struct service *service, const struct config_endpoint *config)
{
	struct service_name *name = &service->names[service->name_count++];

	name->service = service;
	name->config = config;
	timer_init(&name->timer, on_resolve_timer, name);
	on_resolve_timer(name);
}

struct service *
service_new(struct runtime *rt, unsigned index)
{
	const struct config_service *config = &rt->config->services[index];
	struct service *service = calloc(1, sizeof(*service));

	if (service == NULL)
		return NULL;
	service->runtime = rt;
	service->config = config;
	service->index = index;
	service->totals = rt->slot->services[index];
	service->in_flight = &rt->slot->service_in_flight[index];
	service->waits = rt->slot->waits[index];
	service->balance.first = rt->index;
	arc4random_buf(
	    &service->balance.random, sizeof(service->balance.random));
	service->names =
	    calloc(config->endpoint_count, sizeof(*service->names));
	if (service->names == NULL) {
		free(service);
		return NULL;
	}
	for (size_t i = 0; i < config->endpoint_count; i++) {
		const struct config_endpoint *e = &config->endpoints[i];

		if (e->is_name)
			add_name(service, e);
		else
			add_endpoint(service, &e->addr, e, 0);
	}
	rebalance(service);
	return service;
}

void
service_free(struct service *service)
{
	if (service == NULL)
		return;
	for (size_t i = 0; i < service->name_count; i++) {
		if (service->names[i].query != NULL)
			resolver_cancel(service->names[i].query);
		loop_timer_clear(
		    service->runtime->loop, &service->names[i].timer);
	}
	while (service->endpoint_count > 0)
		remove_endpoint(service, service->endpoint_count - 1);
	free(service->names);
	hash_ring_fini(&service->ring);
	loop_bury(service->runtime->loop, service, free);
}

/* ---- what this host lacks ---- */

void
service_log_shortage(struct service *service)
{
	struct shortage *s = &service->shortage;
	unsigned count =
	    shortage_take_line(s, loop_now_us(service->runtime->loop));
	char name[ERRNO_TEXT_MAX];

	if (count != 0)
		log_warn("service %s: this host lacks what a connection to %s "
			 "needs: %s; failures since the last such line: %u",
		    service->config->name, s->where, errno_text(s->error, name),
		    count);
}

void
service_note_shortage(
    struct service *service, const struct endpoint *endpoint, int error)
{
	shortage_note(&service->shortage, error, endpoint->text);
	service_log_shortage(service);
}

/* ---- the retry budget ---- */

bool
service_start_retry(struct service *service, bool already)
{
	unsigned others = service->retried - (already ? 1 : 0);

	if (others >= RETRIED_MIN &&
	    (uint64_t)others * 100 >= (uint64_t)service->live * RETRIED_PERCENT)
		return false;
	service->retried = others + 1;
	return true;
}
