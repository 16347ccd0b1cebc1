#include "worker_boot.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "acceptor.h"
#include "access_log.h"
#include "check.h"
#include "checker.h"
#include "client.h"
#include "cluster_link.h"
#include "delay.h"
#include "clock.h"
#include "exchange.h"
#include "offload.h"
#include "pool.h"
#include "request.h"
#include "route.h"
#include "runtime.h"
#include "service.h"
#include "signals.h"
#include "title.h"
#include "totals.h"
#include "trace.h"

#define TICK_US 10000
#define SLOW_TICK_US 1000000
_Static_assert(LOOP_EARLY_US < TICK_US, "a tick is not due again at once");
/* After its last client a draining worker waits so long for Redis to take the
 * last totals. The scoreboard has the totals anyway. */
#define SETTLE_US 500000
/* Blocks per client connection, and some for answers being put together. */
#define BUFFERS_PER_CLIENT 8
#define BUFFERS_EXTRA 1024
/* Two descriptors each. */
#define PIPES_MAX 256

struct worker {
	struct runtime rt;
	const struct worker_boot *boot;
	struct trace_source trace;
	struct delay_meter delay;
	struct cluster_link cluster;
	struct route_table *routes;
	struct chain_table *chains;
	struct requests requests;
	struct clients *clients;
	struct checker *checker;
	struct acceptor *acceptor;

	struct signals signals;
	struct loop_watch master;
	struct timer tick;
	uint64_t slow_tick_us; /* when the work of each second was last done */
	uint64_t title_connections;
	uint64_t drain_until_us;
	uint64_t settle_until_us; /* 0: not waiting for the totals */
	int statm_fd;
};

/* ---- draining ---- */

static void
drain(struct worker *w, const char *why)
{
	if (w->rt.draining)
		return;
	w->rt.draining = true;
	w->drain_until_us =
	    loop_now_us(w->rt.loop) + w->rt.config->drain_timeout_us;
	atomic_store(&w->rt.slot->state, SLOT_DRAINING);
	log_info(
	    "draining: %s, %u connections", why, clients_count(w->clients));
	clients_drain(w->clients);
	totals_flush(w->rt.totals);
}

/* The last totals are acknowledged, or the time for Redis is over. */
static bool
is_settled(struct worker *w, uint64_t now_us)
{
	if (totals_is_settled(w->rt.totals))
		return true;
	if (w->settle_until_us == 0)
		w->settle_until_us = now_us + SETTLE_US;
	return now_us >= w->settle_until_us;
}

/*
 * A draining worker goes on accepting. Clients and load balancers still find
 * the listener, and no client shall be refused needlessly. The worker ends when
 * no client is left and no connection waits in the queue.
 */
static void
check_drained(struct worker *w)
{
	uint64_t now_us = loop_now_us(w->rt.loop);
	unsigned clients =
	    clients_count(w->clients) + acceptor_pending(w->acceptor);

	if (now_us >= w->drain_until_us) {
		if (clients > 0)
			log_warn("drain_timeout is over: closing %u "
				 "connections",
			    clients);
		loop_stop(w->rt.loop);
	} else if (clients > 0) {
		w->settle_until_us = 0;
	} else if (is_settled(w, now_us) && !acceptor_sweep(w->acceptor)) {
		loop_stop(w->rt.loop);
	}
}

/* ---- events from outside ---- */

static void
on_signal(void *arg, int signal)
{
	struct worker *w = arg;

	if (signal == SIGINT)
		loop_stop(w->rt.loop);
	else
		drain(w, "told to stop");
}

static void
on_master(void *arg, uint32_t events)
{
	struct worker *w = arg;
	unsigned char word[2];
	ssize_t n;

	(void)events;
	while ((n = recv(w->master.fd, word, sizeof(word), MSG_DONTWAIT)) > 0) {
		if (word[0] == WORKER_BARRIER)
			acceptor_join(w->acceptor);
		else if (word[0] == WORKER_REJOIN && n == 2)
			acceptor_rejoin(w->acceptor, word[1]);
		else if (word[0] == WORKER_REOPEN && w->requests.log != NULL)
			access_log_reopen(w->requests.log);
	}
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	loop_watch_del(w->rt.loop, &w->master);
	drain(w, "the master is gone");
}

/* ---- the tick ---- */

static void
refresh_rss(struct worker *w)
{
	char text[128];
	ssize_t n = pread(w->statm_fd, text, sizeof(text) - 1, 0);
	unsigned long size, resident;

	if (n <= 0)
		return;
	text[n] = '\0';
	if (sscanf(text, "%lu %lu", &size, &resident) == 2)
		atomic_store(&w->rt.slot->rss_bytes,
		    (uint64_t)resident * (uint64_t)sysconf(_SC_PAGESIZE));
}

static void
refresh_title(struct worker *w)
{
	unsigned connections = clients_count(w->clients);
	char role[32], more[32];

	if (connections == w->title_connections)
		return;
	w->title_connections = connections;
	snprintf(role, sizeof(role), "worker %u", runtime_number(&w->rt));
	snprintf(more, sizeof(more), " (%u connection%s)", connections,
	    connections == 1 ? "" : "s");
	title_set(role, more);
}

static void
on_tick(void *arg)
{
	struct worker *w = arg;
	uint64_t now_us = loop_now_us(w->rt.loop);

	loop_timer_after(w->rt.loop, &w->tick, TICK_US);
	atomic_store_explicit(
	    &w->rt.slot->heartbeat_ns, now_us * 1000, memory_order_relaxed);
	atomic_store_explicit(&w->rt.slot->buffers,
	    (uint32_t)buffer_pool_used(w->rt.buffers), memory_order_relaxed);
	acceptor_rescue(w->acceptor);
	refresh_title(w);
	if (w->requests.log != NULL)
		access_log_flush(w->requests.log);
	if (now_us - w->slow_tick_us >= SLOW_TICK_US) {
		w->slow_tick_us = now_us;
		refresh_rss(w);
		buffer_pool_trim(w->rt.buffers);
		pipe_pool_trim(w->rt.pipes);
		slab_trim(&w->requests.slab);
	}
	if (w->rt.draining)
		check_drained(w);
}

/* ---- the loop ---- */

static void
on_woke(void *arg, uint64_t entered_ns, uint64_t due_ns, uint64_t now_ns)
{
	struct worker *w = arg;

	delay_woke(&w->delay, entered_ns, due_ns, now_ns);
}

static void
on_asleep(void *arg, uint64_t woke_ns, uint64_t now_ns)
{
	struct worker *w = arg;

	if (w->rt.endings.count != 0)
		endings_settle(&w->rt.endings, now_ns);
	delay_asleep(&w->delay, woke_ns, now_ns);
}

/* ---- from fork to exit ---- */

static int
watch_signals(struct worker *w)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGQUIT);
	sigaddset(&set, SIGINT);
	/* The master alone handles a terminal's hang-up and the remaining
	 * signals. A closed peer is errno EPIPE. */
	signal(SIGHUP, SIG_IGN);
	signal(SIGUSR1, SIG_IGN);
	signal(SIGUSR2, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	return signals_open(&w->signals, w->rt.loop, &set, on_signal, w);
}

static int
watch_master(struct worker *w)
{
	loop_watch_init(&w->master, on_master, w);
	return loop_watch_add(
	    w->rt.loop, &w->master, w->boot->master_fd, EPOLLIN | EPOLLRDHUP);
}

static int
open_services(struct worker *w)
{
	w->rt.services =
	    calloc(w->rt.config->service_count + 1, sizeof(struct service *));
	if (w->rt.services == NULL)
		return -1;
	for (size_t i = 0; i < w->rt.config->service_count; i++) {
		w->rt.services[i] = service_new(&w->rt, (unsigned)i);
		if (w->rt.services[i] == NULL ||
		    pool_new(w->rt.services[i]) == NULL)
			return -1;
	}
	w->checker = checker_new(&w->rt);
	return w->checker != NULL ? 0 : -1;
}

static int
open_access_log(struct worker *w)
{
	const struct access_log_options options = {
	    .path = w->rt.config->log.access,
	    .format = w->rt.config->log.format,
	    .instance = w->rt.config->instance,
	    .worker = runtime_number(&w->rt),
	    .lost = &w->rt.slot->totals[SCOREBOARD_ACCESS_LOG_LOST],
	    .fields = w->rt.config->log.fields,
	    .field_count = w->rt.config->log.field_count,
	};

	if (options.path == NULL)
		return 0;
	w->requests.log = access_log_open(&options);
	if (w->requests.log == NULL)
		log_error("access log %s: %s", options.path, strerror(errno));
	return w->requests.log != NULL ? 0 : -1;
}

static int
open_all(struct worker *w)
{
	const struct loop_observer observer = {on_woke, on_asleep, w};

	w->rt.loop = loop_new();
	if (w->rt.loop == NULL)
		return -1;
	delay_init(&w->delay, w->rt.slot, runtime_number(&w->rt),
	    w->rt.config->event_loop.delay_warning_us);
	loop_observe(w->rt.loop, &observer);
	w->rt.started_us = loop_now_us(w->rt.loop);
	w->statm_fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	w->rt.buffers = buffer_pool_new(
	    (size_t)w->rt.config->client.connections * BUFFERS_PER_CLIENT +
	    BUFFERS_EXTRA);
	w->rt.outbox = outbox_new(w->rt.loop, OUTBOX_READY_MIN);
	w->rt.pipes = pipe_pool_new(PIPES_MAX);
	if (trace_source_init(&w->trace) == -1)
		return -1;
	w->rt.resolver = resolver_new(w->rt.loop);
	w->rt.offload = offload_new(w->rt.loop);
	w->routes =
	    route_table_new(w->rt.config->routes, w->rt.config->route_count);
	w->chains =
	    chain_table_new(w->rt.config->routes, w->rt.config->route_count);
	if (w->chains == NULL)
		return -1;
	requests_init(&w->requests, &w->rt, w->routes, w->chains);
	w->clients = clients_new(&w->rt, &w->requests);
	if (w->rt.buffers == NULL || w->rt.outbox == NULL ||
	    w->rt.pipes == NULL || w->rt.resolver == NULL ||
	    w->rt.offload == NULL || w->routes == NULL || w->clients == NULL)
		return -1;
	if (watch_signals(w) == -1 || watch_master(w) == -1 ||
	    open_access_log(w) == -1 ||
	    cluster_link_open(&w->cluster, &w->rt) == -1 ||
	    open_services(w) == -1)
		return -1;
	w->acceptor = acceptor_new(&w->rt, w->boot, w->clients);
	return w->acceptor != NULL ? 0 : -1;
}

static void
close_services(struct worker *w)
{
	if (w->rt.services == NULL)
		return;
	for (size_t i = 0; i < w->rt.config->service_count; i++) {
		if (w->rt.services[i] == NULL)
			continue;
		pool_free(w->rt.services[i]->pool);
		service_free(w->rt.services[i]);
	}
	free(w->rt.services);
}

/* In the order of their dependencies. */
static void
close_all(struct worker *w)
{
	acceptor_free(w->acceptor);
	clients_free(w->clients);
	endings_settle(&w->rt.endings, clock_ns());
	route_table_free(w->routes);
	chain_table_free(w->chains);
	offload_free(w->rt.offload);
	checker_free(w->checker);
	close_services(w);
	cluster_link_close(&w->cluster);
	resolver_free(w->rt.resolver);
	access_log_close(w->requests.log);
	if (w->statm_fd != -1)
		close(w->statm_fd);
	signals_close(&w->signals);
	outbox_free(w->rt.outbox);
	loop_free(w->rt.loop);
	buffer_pool_free(w->rt.buffers);
	pipe_pool_free(w->rt.pipes);
	requests_fini(&w->requests);
}

static int
start(struct worker *w)
{
	char ready = WORKER_READY;

	if (open_all(w) == -1) {
		log_error("can't start: %s", strerror(errno));
		return -1;
	}
	timer_init_early(&w->tick, on_tick, w, LOOP_EARLY_US);
	loop_timer_after(w->rt.loop, &w->tick, 0);
	/* Before READY: until then ps shows the master's title. */
	w->title_connections = UINT64_MAX;
	refresh_title(w);
	atomic_store(&w->rt.slot->state, SLOT_READY);
	if (send(w->boot->master_fd, &ready, 1, MSG_NOSIGNAL) != 1)
		log_warn("the master does not listen: %s", strerror(errno));
	return 0;
}

int
worker_main(const struct worker_boot *boot)
{
	struct worker w = {
	    .rt = {.config = boot->config,
		.scoreboard = boot->scoreboard,
		.slot = &boot->scoreboard->slots[boot->slot],
		.index = boot->slot,
		.durations = scoreboard_requests(boot->scoreboard, boot->slot)},
	    .boot = boot,
	    .statm_fd = -1,
	};
	int status = EXIT_FAILURE;

	w.rt.trace = &w.trace;
	scoreboard_slot_take(w.rt.slot, getpid());
	check_count_in(&w.rt.slot->totals[SCOREBOARD_BUGS]);
	member_leave_all(w.rt.scoreboard->members, boot->slot);
	if (start(&w) == 0) {
		if (loop_run(w.rt.loop) == 0)
			status = EXIT_SUCCESS;
		else
			log_error("event loop: %s", strerror(errno));
	}
	close_all(&w);
	return status;
}
