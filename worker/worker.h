/*
 * worker - one worker process: what its parts share, and its life from fork
 * to exit. The entry point, worker_main(), is in worker_boot.h.
 *
 * There is one struct worker in a process and it owns everything in it. It is
 * handed down, never looked up: nothing here is a global.
 */
#ifndef WORKER_H
#define WORKER_H

#include "buffer.h"
#include "delay.h"
#include "endings.h"
#include "loop.h"
#include "outbox.h"
#include "pipe.h"
#include "redis.h"
#include "resolver.h"
#include "signals.h"
#include "slab.h"
#include "trace.h"
#include "worker_boot.h"

struct access_log;
struct acceptor;
struct breakers;
struct checker;
struct clients;
struct offload;
struct route_table;
struct service;
struct tickets;
struct totals;

struct worker {
	const struct worker_boot *boot;
	const struct config *config;
	struct scoreboard *scoreboard;
	struct scoreboard_slot *slot;
	struct loop *loop;
	struct buffer_pool *buffers;
	struct outbox *outbox;
	struct pipe_pool *pipes;
	struct slab exchanges; /* of exchange.c */
	struct slab requests;  /* of client.c */
	struct resolver *resolver;
	struct redis *redis; /* NULL: not configured */
	char redis_name[32]; /* as CLIENT LIST shows it */
	struct totals *totals;
	struct tickets *tickets;
	struct breakers *breakers;
	struct access_log *access_log; /* NULL: off */
	struct acceptor *acceptor;
	struct route_table *routes;
	struct clients *clients;
	struct checker *checker;
	struct offload *offload;
	struct service **services; /* config->service_count of them */

	struct trace_source trace;
	struct delay_meter delay;
	struct duration_histogram *durations; /* of the slot's requests */
	struct endings endings;
	struct signals signals;
	struct loop_watch master;
	struct timer tick;
	uint64_t started_us;
	uint64_t slow_tick_us; /* when what is due each second was done */
	uint64_t title_connections;
	uint64_t drain_until_us;
	uint64_t settle_until_us; /* 0: not waiting for the totals */
	uint64_t blocked_us;      /* the iteration that a handler blocked */
	int statm_fd;
	bool draining;
};

/* A total of this worker's slot. */
static inline void
worker_count(struct worker *w, enum scoreboard_total total)
{
	counter_add(&w->slot->totals[total], 1);
}

/* For log lines and answers: counted from 1, as people do. */
static inline unsigned
worker_number(const struct worker *w)
{
	return w->boot->slot + 1;
}

#endif
