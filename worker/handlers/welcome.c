/*
 * welcome - the page at /: the worker that answers, and commands to try. The
 * commands belong to the routes of this configuration, with the address that
 * the client used. The values are the answering worker's.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "breaker.h"
#include "config_names.h"
#include "handler.h"
#include "page.h"
#include "reply.h"
#include "totals.h"

#define ROUTES_SHOWN 20
#define ADDRESS_MAX 256
#define COMMAND_MAX 640 /* an address, a path of 255, the rest */
#define ABOUT_MAX 320

struct welcome {
	struct page page;
	struct runtime *runtime;
	char address[ADDRESS_MAX]; /* as in a URL: localhost:3000 */
	/* The last route to a service with a breaker; NULL: none. */
	const struct config_route *guarded;
	unsigned handlers; /* bits 1 << CONFIG_HANDLER_...: shown already */
};

/* ---- commands ---- */

/* An address in a command has only these characters: a Host field must not
 * become shell code. */
#define ADDRESS_CHARS                                                          \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"       \
	".:_-[]"
/* A word of these characters needs no quotes in a shell. */
#define PLAIN_CHARS                                                            \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"       \
	".:_-/%+,@="

/* host: the request's Host field. Without Host (HTTP/1.0), or with a Host unfit
 * for a command, the address is the gateway's own. */
static void
set_address(struct welcome *w, struct slice host)
{
	const struct sock_addr *own = &w->runtime->config->listen[0].addr;

	if (host.at != NULL && host.len > 0 && host.len < ADDRESS_MAX) {
		memcpy(w->address, host.at, host.len);
		w->address[host.len] = '\0';
		/* Nor may the address look like an option. */
		if (w->address[0] != '-' &&
		    strspn(w->address, ADDRESS_CHARS) == host.len)
			return;
	}
	/* The port is at the same offset in both kinds of address. */
	if (own->sa.sa_family == AF_INET || own->sa.sa_family == AF_INET6)
		snprintf(w->address, sizeof(w->address), "localhost:%u",
		    ntohs(own->in.sin_port));
	else
		strlcpy(w->address, "localhost", sizeof(w->address));
}

/* "localhost:3000/api/users", quoted when a shell needs quotes. The path
 * contains no quote. */
static void
put_url(struct text *out, const struct welcome *w, const char *path,
    const char *query)
{
	bool plain = w->address[strspn(w->address, PLAIN_CHARS)] == '\0' &&
		     path[strspn(path, PLAIN_CHARS)] == '\0' &&
		     query[0] == '\0';
	const char *quote = plain ? "" : "'";

	text_addf(out, "%s%s%s%s%s", quote, w->address, path, query, quote);
}

/* A command: before URL after. A browser has a link to the URL, too. */
struct
try {
	const char *about;
	const char *before;
	const char *path;
	const char *query;
	const char *after;
	bool no_link;
};

static void
offer(struct welcome *w, const struct try *t)
{
	char command[COMMAND_MAX], href[COMMAND_MAX];
	struct text out;

	text_init(&out, command, sizeof(command) - 1);
	text_add_str(&out, t->before);
	put_url(&out, w, t->path, t->query);
	text_add_str(&out, t->after);
	if (text_is_full(&out))
		return;
	command[out.len] = '\0';
	snprintf(href, sizeof(href), "%s%s", t->path, t->query);
	page_command(&w->page, &(struct page_command){t->about,
				   t->no_link ? NULL : href, command});
}

static void
offer_service(struct welcome *w, const struct config_route *r)
{
	const struct config_service *service =
	    &w->runtime->config->services[r->service];
	uint64_t word =
	    atomic_load(&w->runtime->scoreboard->breakers[r->service]);
	char about[ABOUT_MAX];

	if (service->breaker.failures == 0) {
		snprintf(about, sizeof(about),
		    "Through to the service %s:", service->name);
	} else {
		snprintf(about, sizeof(about),
		    "Through to the service %s (its circuit is %s):",
		    service->name,
		    breaker_state_str(breaker_unpack(word).state));
		w->guarded = r;
	}
	offer(w, &(struct try){about, "curl ", r->path, "", "", false});
}

static void
offer_handler(struct welcome *w, const struct config_route *r)
{
	const char *path = r->path;
	char about[ABOUT_MAX];

	switch (r->handler) {
	case CONFIG_HANDLER_METRICS:
		offer(w, &(struct try){"Which worker answers? Ten connections:",
			     "for i in {1..10}; do curl -s ", path, "",
			     " | jq -c '[.instance, .pid]'; done", false});
		break;
	case CONFIG_HANDLER_COUNT:
		offer(w, &(struct try){"One number over all workers:", "curl ",
			     path, "", "", false});
		offer(w,
		    &(struct try){"Each worker for itself, the way that does "
				  "not scale:",
			"curl ", path, "?state=memory", "", false});
		break;
	case CONFIG_HANDLER_CPU_BOUND:
		offer(w,
		    &(struct try){"Block a worker for 3 s: its log says "
				  "\"Event loop delay\", and the others go on "
				  "answering:",
			"curl ", path, "", "", false});
		offer(
		    w, &(struct try){"The same work in a thread, which blocks "
				     "nobody:",
			   "curl ", path, "?ms=3000&offload=true", "", false});
		break;
	case CONFIG_HANDLER_HEALTH:
		offer(w, &(struct try){"Whether this worker is well:", "curl ",
			     path, "", "", false});
		break;
	case CONFIG_HANDLER_WELCOME:
	case CONFIG_HANDLER_NONE:
		break;
	default:
		snprintf(about, sizeof(about),
		    "The handler %s:", config_names_handler[r->handler]);
		offer(w, &(struct try){about, "curl ", path, "", "", false});
		break;
	}
}

/* A plain GET of the path reaches the route, and curl takes the quoted path
 * unchanged. */
static bool
is_shown(const struct config_route *r)
{
	return r->host == NULL && r->header_count == 0 && r->query_count == 0 &&
	       (r->methods == 0 || (r->methods >> HTTP_GET & 1) != 0) &&
	       strpbrk(r->path, "'{}[]") == NULL;
}

static void
add_routes(struct welcome *w)
{
	const struct config *c = w->runtime->config;
	unsigned shown = 0, left_out = 0;

	for (size_t i = 0; i < c->route_count; i++) {
		const struct config_route *r = &c->routes[i];

		/* Each handler once; a link to this page would lead nowhere
		 * new. */
		if (r->handler == CONFIG_HANDLER_WELCOME ||
		    (w->handlers >> r->handler & 1) != 0)
			continue;
		if (!is_shown(r) || shown == ROUTES_SHOWN) {
			left_out++;
			continue;
		}
		shown++;
		if (r->handler != CONFIG_HANDLER_NONE)
			w->handlers |= 1u << r->handler;
		if (r->service >= 0)
			offer_service(w, r);
		else if (r->has_respond)
			offer(w,
			    &(struct try){"An answer from the configuration:",
				"curl ", r->path, "", "", false});
		else
			offer_handler(w, r);
	}
	if (left_out > 0)
		page_paragraph(&w->page,
		    "And %u more route%s: see the configuration.", left_out,
		    left_out == 1 ? "" : "s");
}

static void
add_breaker(struct welcome *w)
{
	const struct config_service *service;
	char about[ABOUT_MAX];

	if (w->guarded == NULL)
		return;
	service = &w->runtime->config->services[w->guarded->service];
	snprintf(about, sizeof(about),
	    "Stop the service %s, then ask ten times: after %u failure%s in a "
	    "row the circuit opens. %.3g s later one request tries whether the "
	    "service is back:",
	    service->name, service->breaker.failures,
	    service->breaker.failures == 1 ? "" : "s",
	    (double)service->breaker.open_for_us / 1e6);
	offer(w, &(struct try){about, "for i in {1..10}; do curl ",
		     w->guarded->path, "", "; echo; done", true});
}

static void
add_processes(struct welcome *w)
{
	const struct config *c = w->runtime->config;
	char about[ABOUT_MAX], command[COMMAND_MAX];

	page_heading(&w->page, "Where it runs");
	page_command(&w->page,
	    &(struct page_command){"The master, its workers, and how many "
				   "connections each has:",
		NULL, "ps ax | grep drover:"});
	snprintf(about, sizeof(about),
	    "End this worker, on %s: the master starts another in its place:",
	    c->instance);
	snprintf(command, sizeof(command), "kill -9 %d", (int)getpid());
	page_command(&w->page, &(struct page_command){about, NULL, command});
	if (!c->admin.enabled)
		return;
	snprintf(command, sizeof(command), "curl %s%s/metrics",
	    c->admin.text[0] == '*' ? "localhost" : "",
	    c->admin.text + (c->admin.text[0] == '*'));
	page_command(
	    &w->page, &(struct page_command){
			  "Every counter, for Prometheus:", NULL, command});
}

/* ---- values ---- */

static void
add_values(struct welcome *w)
{
	struct runtime *runtime = w->runtime;
	struct scoreboard_slot *slot = runtime->slot;
	struct page *p = &w->page;
	uint64_t up_us = loop_now_us(runtime->loop) - runtime->started_us;

	page_begin_values(p);
	page_value(p, "pid", "%d", (int)getpid());
	page_value(p, "worker", "%u of %u", runtime_number(runtime),
	    runtime->scoreboard->slot_count);
	page_value(p, "instance", "%s", runtime->config->instance);
	page_value(p, "uptime", "%.1f s", (double)up_us / 1e6);
	page_value(p, "requests, this worker", "%llu",
	    (unsigned long long)atomic_load(
		&slot->totals[SCOREBOARD_REQUESTS]));
	page_value(p, "requests, all workers", "%llu",
	    (unsigned long long)totals_cluster_requests(runtime->totals));
	page_value(p, "connections", "%u", atomic_load(&slot->connections));
	page_value(p, "memory", "%.1f MB",
	    (double)atomic_load(&slot->rss_bytes) / (1 << 20));
	page_value(p, "event-loop delay, p99", "%.3f ms",
	    (double)histogram_quantile(&slot->delay, 0.99) / 1e6);
	page_value(p, "event-loop delay, max", "%.3f ms",
	    (double)histogram_max(&slot->delay) / 1e6);
	page_value(p, "Redis", "%s",
	    redis_state_str((enum redis_state)atomic_load(&slot->redis)));
	page_value(
	    p, "state", "%s", runtime->draining ? "draining" : "serving");
	page_end_values(p);
}

static void
compose(struct welcome *w)
{
	page_paragraph(&w->page,
	    "A multi-process HTTP gateway: a master keeps one worker process "
	    "per core, each with an event loop of its own. Counters and "
	    "circuit "
	    "breakers are shared by all of them.");
	page_heading(&w->page, "The worker that answered");
	add_values(w);
	page_paragraph(&w->page,
	    "curl makes a new connection each time, and whichever worker takes "
	    "that one answers. A browser keeps its connection, and so its "
	    "worker, as long as that lives.");
	page_heading(&w->page, "Try");
	add_routes(w);
	add_breaker(w);
	add_processes(w);
}

static enum stage_verdict
begin(struct request *request, void *state)
{
	struct stream *s = request->stream;
	const struct head *head = s->head;
	struct welcome w = {.runtime = request->runtime};
	char *text = NULL;

	(void)state;
	set_address(&w, head->host);
	if (page_begin(&w.page, page_wants_html(head), "Drover") == 0) {
		compose(&w);
		text = page_end(&w.page);
	}
	if (text != NULL)
		reply_send(s, &(struct reply){.status = 200,
				  .type = page_type(&w.page),
				  .fields = page_fields(),
				  .body = text,
				  .len = w.page.len});
	else
		reply_error(s, 503, "out of memory");
	free(text);
	return STAGE_DONE;
}

const struct stage welcome_stage = {
    .name = "welcome",
    .handler = CONFIG_HANDLER_WELCOME,
    .begin = begin,
};
