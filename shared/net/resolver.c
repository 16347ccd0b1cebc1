#include "resolver.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "resolver_channel.h"

#define US_PER_MS UINT64_C(1000)

struct resolver {
	struct loop *loop;
	struct resolver_channel *channel;
	/* Former channels, each with a query under way. */
	struct resolver_channel_list retired;
	struct resolver_query *queries; /* not cancelled, not answered */
};

struct resolver_query {
	struct resolver *resolver;
	struct resolver_query *next;
	struct resolver_query *
	    *at; /* the pointer to the query; NULL: not listed */
	resolver_fn *fn;
	void *arg;
	char host[SOCK_HOST_MAX + 1];
	uint16_t port;
	int family;      /* of the current question */
	int flags;       /* of every question, for c-ares */
	bool missing_v4; /* known before, and none has come */
	bool missing_v6;
	int unknown;                    /* see resolver_answer */
	struct resolver_channel *asked; /* has a question under way; or NULL */
	struct timer deadline;
	struct loop_deferred done;
	/* The answer, until on_done(). */
	enum resolver_outcome outcome;
	const char *why;
	uint32_t ttl_s;
	size_t count;
	struct sock_addr *addrs;
};

/* ---- the resolver ---- */

struct resolver *
resolver_new(struct loop *loop)
{
	struct resolver *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return NULL;
	r->loop = loop;
	LIST_INIT(&r->retired);
	r->channel = resolver_channel_new(loop);
	if (r->channel == NULL) {
		free(r);
		errno = ENOMEM;
		return NULL;
	}
	return r;
}

/* Follows a change of /etc/resolv.conf: new queries ask the new name servers.
 */
static void
refresh(struct resolver *r)
{
	struct resolver_channel *c, *next;

	LIST_FOREACH_SAFE(c, &r->retired, entry, next)
	{
		if (c->asked != 0)
			continue;
		LIST_REMOVE(c, entry);
		resolver_channel_free(c);
	}
	if (!resolver_channel_is_stale(r->channel))
		return;
	c = resolver_channel_new(r->loop);
	if (c == NULL)
		return;
	log_info("resolver: the list of name servers has changed");
	LIST_INSERT_HEAD(&r->retired, r->channel, entry);
	r->channel = c;
}

/* ---- a query's life ---- */

/* The owner no longer waits. */
static void
query_unlist(struct resolver_query *q)
{
	if (q->at == NULL)
		return;
	*q->at = q->next;
	if (q->next != NULL)
		q->next->at = q->at;
	q->at = NULL;
	loop_timer_clear(q->resolver->loop, &q->deadline);
	loop_defer_cancel(q->resolver->loop, &q->done);
}

static void
query_free(void *p)
{
	struct resolver_query *q = p;

	free(q->addrs);
	free(q);
}

/* The memory goes now, or when c-ares has answered. */
static void
query_drop(struct resolver_query *q)
{
	query_unlist(q);
	if (q->asked == NULL)
		loop_bury(q->resolver->loop, q, query_free);
}

void
resolver_free(struct resolver *r)
{
	struct resolver_channel *c;

	if (r == NULL)
		return;
	while (r->queries != NULL)
		query_drop(r->queries);
	/* Ends the questions under way: c-ares calls on_answer(). */
	while ((c = LIST_FIRST(&r->retired)) != NULL) {
		LIST_REMOVE(c, entry);
		resolver_channel_free(c);
	}
	resolver_channel_free(r->channel);
	loop_bury(r->loop, r, free);
}

static void
on_done(void *arg)
{
	struct resolver_query *q = arg;
	struct resolver_answer answer = {
	    .outcome = q->outcome,
	    .why = q->why,
	    .count = q->outcome == RESOLVER_FOUND ? q->count : 0,
	    .ttl_s = q->ttl_s,
	    .unknown = q->unknown,
	};

	/* First, since fn may free the resolver. The memory lasts as long as
	 * the batch. */
	query_drop(q);
	answer.addrs = q->addrs;
	q->fn(q->arg, &answer);
}

static void
query_finish(
    struct resolver_query *q, enum resolver_outcome outcome, const char *why)
{
	q->outcome = outcome;
	q->why = why;
	loop_timer_clear(q->resolver->loop, &q->deadline);
	loop_defer(q->resolver->loop, &q->done);
}

/* No answer to the last question; addresses from an earlier answer count. */
static void
query_give_up(struct resolver_query *q, const char *why)
{
	if (q->count == 0) {
		query_finish(q, RESOLVER_FAILED, why);
		return;
	}
	q->unknown = q->family;
	query_finish(q, RESOLVER_FOUND, why);
}

static void
on_deadline(void *arg)
{
	query_give_up(arg, "no answer in time");
}

/* ---- answers of c-ares ---- */

static void ask(struct resolver_query *q, int family);

static enum resolver_outcome
outcome_of(int status)
{
	switch (status) {
	case ARES_SUCCESS:
		return RESOLVER_FOUND;
	case ARES_ENOTFOUND:
	case ARES_ENODATA:
		return RESOLVER_ABSENT;
	default:
		return RESOLVER_FAILED;
	}
}

static const char *
reason_of(int status)
{
	switch (status) {
	case ARES_SUCCESS:
		return NULL;
	case ARES_ENOTFOUND:
	case ARES_ENONAME:
		return "no such name";
	case ARES_ENODATA:
		return "the name has no address";
	case ARES_EBADNAME:
		return "not a valid name";
	case ARES_ETIMEOUT:
		return "no answer in time";
	case ARES_ECONNREFUSED:
		return "no name server reachable";
	case ARES_ESERVFAIL:
		return "the name server failed";
	case ARES_EREFUSED:
		return "the name server refused";
	case ARES_ENOMEM:
		return "out of memory";
	default:
		return ares_strerror(status);
	}
}

/* Room for n addresses more. -1 with ENOMEM. */
static int
make_room(struct resolver_query *q, size_t n)
{
	struct sock_addr *addrs =
	    reallocarray(q->addrs, q->count + n + 1, sizeof(*addrs));

	if (addrs == NULL)
		return -1;
	memset(addrs + q->count, 0, (n + 1) * sizeof(*addrs));
	q->addrs = addrs;
	return 0;
}

/* Copies the addresses. -1 with ENOMEM. */
static int
take_addrs(struct resolver_query *q, const struct ares_addrinfo *info)
{
	const struct ares_addrinfo_node *n;
	size_t count = 0;

	for (n = info->nodes; n != NULL; n = n->ai_next)
		count++;
	if (make_room(q, count) == -1)
		return -1;
	for (n = info->nodes; n != NULL; n = n->ai_next) {
		struct sock_addr *addr = &q->addrs[q->count];
		uint32_t ttl_s = n->ai_ttl > 0 ? (uint32_t)n->ai_ttl : 0;

		if (n->ai_addrlen > sizeof(addr->in6))
			continue;
		memcpy(&addr->sa, n->ai_addr, n->ai_addrlen);
		addr->len = n->ai_addrlen;
		if (n->ai_family == AF_INET6) {
			addr->in6.sin6_port = htons(q->port);
			q->missing_v6 = false;
		} else {
			addr->in.sin_port = htons(q->port);
			q->missing_v4 = false;
		}
		if (ttl_s < q->ttl_s)
			q->ttl_s = ttl_s;
		q->count++;
	}
	return 0;
}

/*
 * Asked for both families, c-ares reports the outcome of the later answer. A
 * name server that fails on A and denies AAAA looks like a name without
 * addresses. Hence a denial is asked again, of each family alone. Likewise for
 * a family that had addresses and has none now. True: another question is under
 * way.
 */
static bool
ask_next_family(struct resolver_query *q)
{
	if (q->count != 0) {
		/* Each is a second question; no third one follows. */
		if (q->family != AF_UNSPEC ||
		    (!q->missing_v4 && !q->missing_v6))
			return false;
		ask(q, q->missing_v4 ? AF_INET : AF_INET6);
		return true;
	}
	if (q->family == AF_INET6)
		return false;
	ask(q, q->family == AF_UNSPEC ? AF_INET : AF_INET6);
	return true;
}

/* Decides between another question and the end. */
static void
conclude(struct resolver_query *q, int status)
{
	enum resolver_outcome outcome = outcome_of(status);

	if (outcome == RESOLVER_FAILED)
		query_give_up(q, reason_of(status));
	else if (ask_next_family(q))
		return;
	else if (q->count != 0)
		query_finish(q, RESOLVER_FOUND, NULL);
	else
		query_finish(q, outcome, reason_of(status));
}

/* c-ares has the answer, or gives up; also from within
 * resolver_channel_ask(). */
static void
on_answer(void *arg, int status, int timeouts, struct ares_addrinfo *info)
{
	struct resolver_query *q = arg;

	(void)timeouts;
	resolver_channel_answered(q->asked);
	q->asked = NULL;
	if (q->at == NULL) {
		query_drop(q);
	} else if (q->done.queued) {
		/* Too late: the deadline has already spoken. */
	} else {
		if (status == ARES_SUCCESS && take_addrs(q, info) == -1)
			status = ARES_ENOMEM;
		else if (status == ARES_SUCCESS && q->count == 0)
			status = ARES_ENODATA;
		conclude(q, status);
	}
	if (info != NULL)
		ares_freeaddrinfo(info);
}

static void
ask(struct resolver_query *q, int family)
{
	struct resolver_channel_question question = {
	    .host = q->host,
	    .family = family,
	    .flags = q->flags,
	};

	q->family = family;
	q->asked = q->resolver->channel;
	resolver_channel_ask(q->asked, &question, on_answer, q);
}

static int
answer_numeric(struct resolver_query *q, const struct sock_addr *addr)
{
	q->addrs = malloc(sizeof(*q->addrs));
	if (q->addrs == NULL)
		return -1;
	q->addrs[0] = *addr;
	q->count = 1;
	query_finish(q, RESOLVER_FOUND, NULL);
	return 0;
}

/* A query without a question yet, or NULL with ENOMEM. */
static struct resolver_query *
query_new(struct resolver *r, const struct resolver_name *name, resolver_fn *fn)
{
	struct resolver_query *q = calloc(1, sizeof(*q));

	if (q == NULL)
		return NULL;
	q->resolver = r;
	q->fn = fn;
	q->port = name->port;
	q->missing_v4 = name->had_v4;
	q->missing_v6 = name->had_v6;
	q->unknown = AF_UNSPEC;
	q->ttl_s = UINT32_MAX;
	timer_init(&q->deadline, on_deadline, q);
	loop_deferred_init(&q->done, on_done, q);
	q->next = r->queries;
	q->at = &r->queries;
	if (q->next != NULL)
		q->next->at = &q->next;
	r->queries = q;
	return q;
}

static struct resolver_query *
begin(struct resolver_query *q, const struct resolver_name *name)
{
	struct resolver *r = q->resolver;
	struct sock_addr addr;

	if (sock_addr_from_host(&addr, name->host, name->port) == -1) {
		strlcpy(q->host, name->host, sizeof(q->host));
		loop_timer_after(
		    r->loop, &q->deadline, RESOLVER_TIMEOUT_MS * US_PER_MS);
		refresh(r);
		ask(q, AF_UNSPEC);
	} else if (answer_numeric(q, &addr) == -1) {
		query_drop(q);
		return NULL;
	}
	return q;
}

struct resolver_query *
resolver_query(struct resolver *r, const char *host, uint16_t port,
    resolver_fn *fn, void *arg)
{
	struct resolver_name name = {.host = host, .port = port};
	struct resolver_query *q = query_new(r, &name, fn);

	if (q == NULL)
		return NULL;
	q->arg = arg;
	return begin(q, &name);
}

struct resolver_query *
resolver_query_again(struct resolver *r, const struct resolver_name *name,
    resolver_fn *fn, void *arg)
{
	struct resolver_query *q = query_new(r, name, fn);

	if (q == NULL)
		return NULL;
	q->arg = arg;
	q->flags = ARES_AI_NOSORT;
	return begin(q, name);
}

void
resolver_cancel(struct resolver_query *q)
{
	query_drop(q);
}
