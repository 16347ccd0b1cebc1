/*
 * scoreboard - shared memory of all processes of one instance. Each slot is
 * written by its worker and read by all; further tables belong to the host as a
 * whole.
 *
 * MAP_SHARED on a file under state_dir. Totals survive a worker's death. With
 * the same instance and shape (workers, services, routes) totals survive the
 * master's death too. Totals only grow. Behind the last slot are the slots'
 * histograms of requests' durations, one group per series of the configuration.
 * Gauges belong to the process in the slot and are zeroed by its successor.
 * Every field that two processes touch is atomic. No field is locked: no death
 * can hang another process.
 */
#ifndef SCOREBOARD_H
#define SCOREBOARD_H

#include <sys/types.h>
#include <stdatomic.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"
#include "counter.h"
#include "duration.h"
#include "histogram.h"
#include "member.h"
#include "redis_state.h"
#include "slot_state.h"

#define SCOREBOARD_ENDPOINTS 8192
#define SCOREBOARD_NO_ENDPOINT UINT32_MAX
#define SCOREBOARD_ACTIVITY_MAX 96
#define SCOREBOARD_INCARNATION_MAX 17 /* 16 hex digits and NUL */

/* Totals of a slot: symbol, metric name, help text. */
#define SCOREBOARD_TOTALS(X)                                                   \
	X(REQUESTS, "requests", "Requests read from clients")                  \
	X(RESPONSES_1XX, "responses_1xx", "Responses with status 101")         \
	X(RESPONSES_2XX, "responses_2xx", "Responses with status 2xx")         \
	X(RESPONSES_3XX, "responses_3xx", "Responses with status 3xx")         \
	X(RESPONSES_4XX, "responses_4xx", "Responses with status 4xx")         \
	X(RESPONSES_5XX, "responses_5xx", "Responses with status 5xx")         \
	X(ACCEPTED, "connections_accepted", "Client connections accepted")     \
	X(STOOD_IN, "connections_stood_in",                                    \
	    "Connections accepted from a neighbour's listener")                \
	X(REFUSED, "connections_refused",                                      \
	    "Client connections closed at once: too many, or no memory")       \
	X(BAD_REQUESTS, "bad_requests", "Requests that were not valid HTTP")   \
	X(CLIENT_ABORTS, "client_aborts",                                      \
	    "Clients gone before their response ended")                        \
	X(BYTES_IN, "client_bytes_in", "Bytes read from clients")              \
	X(BYTES_OUT, "client_bytes_out", "Bytes written to clients")           \
	X(UP_CONNECTS, "upstream_connects", "Connections opened to backends")  \
	X(UP_REUSES, "upstream_reuses",                                        \
	    "Exchanges on a kept-alive backend connection")                    \
	X(UP_RETRIES, "upstream_retries", "Requests tried again")              \
	X(UP_SHED, "upstream_shed",                                            \
	    "Requests answered 503: the queue was full or the wait too long")  \
	X(DELAY_WARNINGS, "event_loop_delay_warnings",                         \
	    "Event loop delays over the warning threshold")                    \
	X(LATE_WAKEUPS, "event_loop_late_wakeups",                             \
	    "Polls that came back later than the warning threshold allows")    \
	X(BUSY_OVER_10MS_NS, "event_loop_busy_over_10ms_ns",                   \
	    "Time in loop iterations of over 10 ms")                           \
	X(REDIS_LOSSES, "redis_losses", "Times the Redis connection was lost") \
	X(ACCESS_LOG_LOST, "access_log_lost",                                  \
	    "Lines of the access log that were dropped")                       \
	X(BUGS, "bugs",                                                        \
	    "Failed checks that cost one connection; the log has each: bug")

enum scoreboard_total {
#define X(symbol, name, help) SCOREBOARD_##symbol,
	SCOREBOARD_TOTALS(X)
#undef X
	    SCOREBOARD_TOTAL_COUNT
};

/* Totals of one service in one slot. */
#define SCOREBOARD_SERVICE_TOTALS(X)                                           \
	X(REQUESTS, "service_requests", "Requests routed to the service")      \
	X(FAILURES, "service_failures",                                        \
	    "Requests the service failed: unreachable, late, cut short, or "   \
	    "502, 503, 504")                                                   \
	X(REJECTED, "service_rejected",                                        \
	    "Requests answered 503 because the circuit was open")

enum scoreboard_service_total {
#define X(symbol, name, help) SCOREBOARD_SERVICE_##symbol,
	SCOREBOARD_SERVICE_TOTALS(X)
#undef X
	    SCOREBOARD_SERVICE_TOTAL_COUNT
};

/* Where a request's time goes, per service: symbol, metric name, help text. */
#define SCOREBOARD_WAITS(X)                                                    \
	X(QUEUE, "queue_seconds",                                              \
	    "From a request's head, or its try before, to a connection; in "   \
	    "whole iterations of the event loop")                              \
	X(CONNECT, "connect_seconds",                                          \
	    "From a new connection's begin until it stands; in whole "         \
	    "iterations of the event loop")                                    \
	X(FIRST_BYTE, "first_byte_seconds",                                    \
	    "From a connection to the head of the service's response; in "     \
	    "whole iterations of the event loop")

enum scoreboard_wait {
#define X(symbol, name, help) SCOREBOARD_WAIT_##symbol,
	SCOREBOARD_WAITS(X)
#undef X
	    SCOREBOARD_WAIT_COUNT
};

/* How a request ended: the class of the response's status. 499, as in access
 * logs: the client left before the response began. */
enum scoreboard_code {
	SCOREBOARD_CODE_1XX,
	SCOREBOARD_CODE_2XX,
	SCOREBOARD_CODE_3XX,
	SCOREBOARD_CODE_4XX,
	SCOREBOARD_CODE_5XX,
	SCOREBOARD_CODE_499,
	SCOREBOARD_CODE_COUNT
};

struct scoreboard_slot {
	/* CLOCK_MONOTONIC ns when the poll returned; 0 while polling. */
	alignas(64) _Atomic uint64_t busy_since_ns;
	_Atomic uint64_t heartbeat_ns; /* each tick: within 10 ms */
	_Atomic pid_t pid;
	_Atomic uint32_t state;      /* enum slot_state */
	_Atomic uint64_t generation; /* forks of the slot, from 1 */
	_Atomic uint64_t started_ns; /* CLOCK_MONOTONIC of the last fork */
	_Atomic uint32_t redis;      /* enum redis_state */
	/* The loop's present work, "GET /api/pay"; length 0: no name. */
	_Atomic uint32_t activity_len;
	char activity[SCOREBOARD_ACTIVITY_MAX];

	_Atomic uint64_t totals[SCOREBOARD_TOTAL_COUNT];
	_Atomic uint64_t services[CONFIG_SERVICES_MAX]
				 [SCOREBOARD_SERVICE_TOTAL_COUNT];
	/* The number of the last block asked for by /api/count. */
	_Atomic uint64_t sequence_block;
	/* CPU time of the slot's former workers; the master's to write. */
	_Atomic uint64_t past_cpu_us;

	/* Gauges. */
	_Atomic uint32_t connections;
	_Atomic uint32_t in_flight;
	_Atomic uint32_t service_in_flight[CONFIG_SERVICES_MAX];
	_Atomic uint32_t endpoint_in_flight[SCOREBOARD_ENDPOINTS];
	_Atomic uint64_t rss_bytes; /* refreshed each second */
	_Atomic uint32_t buffers;   /* blocks in use; each tick */

	struct histogram delay;    /* busy time of each loop iteration */
	struct histogram lateness; /* of timers, while the loop slept */

	struct duration_histogram waits[CONFIG_SERVICES_MAX]
				       [SCOREBOARD_WAIT_COUNT];
};

/* A backend address, for any number of services and workers. */
struct scoreboard_endpoint {
	_Atomic uint64_t key; /* hash of the address, 0: free */
};

struct scoreboard {
	uint64_t magic; /* of the layout */
	uint64_t bytes;
	char instance[CONFIG_NAME_MAX + 1];
	char incarnation[SCOREBOARD_INCARNATION_MAX]; /* random, see design */
	uint32_t slot_count;
	uint32_t service_count;
	uint32_t series_count;
	/* hash of the names of services and series, which are kept by index */
	uint64_t names;
	uint64_t started_ns; /* of the present master, CLOCK_MONOTONIC */
	_Atomic pid_t master_pid;
	/* already logged: see cluster_link.c */
	_Atomic uint32_t redis_degraded;
	/* Holds the file's lock for as long as any process lives. The same
	 * descriptor in master and workers. */
	int lock_fd;
	/* A word per service, laid out in breaker.h. */
	alignas(64) _Atomic uint64_t breakers[CONFIG_SERVICES_MAX];
	struct scoreboard_endpoint endpoints[SCOREBOARD_ENDPOINTS];
	struct member members[MEMBERS_MAX];
	struct scoreboard_slot slots[];
};

/*
 * Creates state_dir/scoreboard, or takes the file over. A take-over needs the
 * same instance and shape, and no process of the former master left to write to
 * the file. Master only, before the first fork, holding the pid file's lock.
 * NULL with errno; the mapping lives as long as the process.
 */
struct scoreboard *scoreboard_open(const struct config *config, unsigned slots);

/* In the new worker: takes the slot, zeroes the predecessor's gauges. */
void scoreboard_slot_take(struct scoreboard_slot *slot, pid_t pid);

/* A slot's histograms of requests' durations, SCOREBOARD_CODE_COUNT for each of
 * the configuration's series. */
struct duration_histogram *scoreboard_requests(
    const struct scoreboard *sb, unsigned slot);

/*
 * The host-wide number of an address (0 .. SCOREBOARD_ENDPOINTS - 1), claimed
 * on first use by whichever process comes first and never given back.
 * SCOREBOARD_NO_ENDPOINT when the table is full.
 */
uint32_t scoreboard_endpoint_id(struct scoreboard *sb, uint64_t key);
/* In-flight exchanges to the endpoint over all slots of live workers. */
uint32_t scoreboard_endpoint_load(const struct scoreboard *sb, uint32_t id);

static inline enum scoreboard_code
scoreboard_code_of(unsigned status)
{
	/* Nearly all are. */
	if (status / 100 == 2)
		return SCOREBOARD_CODE_2XX;
	/* A backend may say 600 or 099, and gets a class all the same. */
	if (status < 200)
		return SCOREBOARD_CODE_1XX;
	return status < 500 ? (enum scoreboard_code)(status / 100 - 1)
			    : SCOREBOARD_CODE_5XX;
}

const char *scoreboard_code_str(enum scoreboard_code code);

/* The present work of a slot's loop, as text that ends in NUL; "": no name. */
const char *scoreboard_activity(
    const struct scoreboard_slot *slot, char buf[SCOREBOARD_ACTIVITY_MAX]);
/* How long the slot's loop has been busy; 0 while the loop polls. Correct also
 * for a now_ns older than the other process's stamp. */
uint64_t scoreboard_busy_ns(
    const struct scoreboard_slot *slot, uint64_t now_ns);
/* STARTING, READY or DRAINING. */
bool scoreboard_slot_is_live(const struct scoreboard_slot *slot);

uint64_t scoreboard_sum(
    const struct scoreboard *sb, enum scoreboard_total total);
uint64_t scoreboard_service_sum(const struct scoreboard *sb, size_t service,
    enum scoreboard_service_total total);

/* A total's or a service total's metric name and help text. */
const char *scoreboard_total_str(enum scoreboard_total total);
const char *scoreboard_total_help(enum scoreboard_total total);
const char *scoreboard_service_total_str(enum scoreboard_service_total total);
const char *scoreboard_service_total_help(enum scoreboard_service_total total);
const char *scoreboard_wait_str(enum scoreboard_wait wait);
const char *scoreboard_wait_help(enum scoreboard_wait wait);

#endif
