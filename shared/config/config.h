/*
 * config - the checked content of a YAML file. Master and workers; read-only
 * after config_load(), and shared over fork.
 *
 * Plain structs, which include no other file of the folder. Durations are in
 * microseconds, sizes in bytes. Strings and arrays belong to struct config.
 * Lengths are capped, since the tables of the scoreboard have fixed sizes.
 */
#ifndef CONFIG_H
#define CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cidr.h"
#include "log.h"
#include "path_rules.h"
#include "redis_url.h"
#include "sock.h"

#define CONFIG_WORKERS_MAX 128
#define CONFIG_LISTEN_MAX 16
#define CONFIG_SERVICES_MAX 32
#define CONFIG_ENDPOINTS_MAX 1024 /* per service */
#define CONFIG_SOURCES_MAX 64     /* per service */
#define CONFIG_ROUTES_MAX 1024
#define CONFIG_PROXIES_MAX 256 /* networks of trusted proxies */
#define CONFIG_LOG_FIELDS_MAX 16
#define CONFIG_LOG_FIELD_TEXT_MAX 72 /* of which the name: 63 */
#define CONFIG_MATCHES_MAX 8   /* of headers, and of parameters, in a route */
#define CONFIG_NAME_MAX 63     /* instance, cluster, service: [A-Za-z0-9._-]+ */
#define CONFIG_LINE_MAX 512    /* of a message about the file */
#define CONFIG_ERROR_MAX 21504 /* of all messages */

/* How workers share an address; see ARCHITECTURE.md, Listeners. */
enum config_accept {
	CONFIG_ACCEPT_REUSEPORT,       /* own listener, neighbours stand in */
	CONFIG_ACCEPT_REUSEPORT_PLAIN, /* own listener only */
	CONFIG_ACCEPT_SHARED,          /* a single listener for all */
};

/* A row per balancing policy: symbol, and name in the file. */
#define CONFIG_POLICIES(X)                                                     \
	X(ROUND_ROBIN, round_robin)                                            \
	X(LEAST_CONN, least_conn)                                              \
	X(RANDOM_TWO, random_two)                                              \
	X(IP_HASH, ip_hash)                                                    \
	X(CONSISTENT_HASH, consistent_hash)

enum config_policy {
#define X(symbol, name) CONFIG_POLICY_##symbol,
	CONFIG_POLICIES(X)
#undef X
};

/* A row per kind of failure after which a request may be sent again: symbol,
 * and name in the file. */
#define CONFIG_RETRY_ON(X)                                                     \
	X(CONNECT, connect)                                                    \
	X(RESET, reset)                                                        \
	X(TIMEOUT, timeout)                                                    \
	X(502, 502)                                                            \
	X(503, 503)                                                            \
	X(504, 504)

enum config_retry_on {
#define X(symbol, name) CONFIG_RETRY_##symbol,
	CONFIG_RETRY_ON(X)
#undef X
};

/* The version of the PROXY protocol towards a service. */
enum config_send_proxy {
	CONFIG_SEND_PROXY_OFF = 0,
	CONFIG_SEND_PROXY_V1 = 1,
	CONFIG_SEND_PROXY_V2 = 2,
};

/* The part of a request that consistent_hash hashes. */
enum config_hash_on {
	CONFIG_HASH_PATH, /* without the query */
	CONFIG_HASH_HEADER,
	CONFIG_HASH_COOKIE,
	CONFIG_HASH_QUERY,
};

/* A row per handler: symbol, and name in the file. The handler's stage has the
 * same name (`count_stage`, in worker/handlers). */
#define CONFIG_HANDLERS(X)                                                     \
	X(METRICS, metrics)                                                    \
	X(COUNT, count)                                                        \
	X(CPU_BOUND, cpu_bound)                                                \
	X(HEALTH, health)                                                      \
	X(WELCOME, welcome)

enum config_handler {
	CONFIG_HANDLER_NONE, /* the route has a service or a respond */
#define X(symbol, name) CONFIG_HANDLER_##symbol,
	CONFIG_HANDLERS(X)
#undef X
};

struct config_listen {
	struct sock_addr addr;
	bool dual;     /* `*`: IPv6 too, where the kernel has IPv6 */
	char *text;    /* as written, for messages */
	unsigned line; /* of the file, likewise */
	enum config_accept accept;
	bool proxy_protocol; /* each connection begins with the header */
};

/* A field of a request or of a service's response, for the access log. */
struct config_log_field {
	char *text;       /* in lower case: "NAME", or "response:NAME" */
	const char *name; /* inside text */
	bool is_of_response;
};

struct config_admin {
	bool enabled; /* an `admin` address is given */
	struct sock_addr addr;
	bool dual; /* as of a listener */
	char *text;
};

struct config_hash {
	enum config_hash_on on; /* consistent_hash only */
	char *name;             /* of the header, cookie, parameter */
};

struct config_endpoint {
	char *text;            /* as written, without the weight */
	unsigned weight;       /* 1 .. 100; 0: drained, gets no new client */
	bool is_name;          /* true: resolve name; false: addr stands */
	struct sock_name name; /* when is_name */
	struct sock_addr addr; /* when not */
};

struct config_source {
	char *text; /* as written */
	struct sock_addr addr;
};

#define CONFIG_HEALTH_HEADERS_MAX 8
#define CONFIG_HEALTH_HEAD_MAX 8192 /* path, host and headers together */
#define CONFIG_STATUS_WORDS 8

/* A bit per status, from 100 on. */
struct config_statuses {
	uint64_t bits[CONFIG_STATUS_WORDS];
};

/* A field to send. */
struct config_field {
	char *name;
	char *value;
};

enum config_health_method {
	CONFIG_HEALTH_GET,
	CONFIG_HEALTH_HEAD,
	CONFIG_HEALTH_OPTIONS,
	CONFIG_HEALTH_POST,
};

struct config_service {
	char *name;
	struct config_endpoint *endpoints;
	size_t endpoint_count;
	struct config_source *sources; /* local addresses to connect from */
	size_t source_count;           /* 0: the kernel chooses */
	enum config_policy policy;
	uint64_t resolve_us; /* an answer of DNS is never kept for longer */
	unsigned retries;    /* retries per request, 0 .. 10 */
	unsigned retry_on;   /* bits 1 << CONFIG_RETRY_CONNECT ... */
	bool abort_on_close; /* a running request, with its client's end */
	size_t header_bytes; /* of a response head */
	enum config_send_proxy send_proxy;
	struct {
		unsigned connections; /* per endpoint and worker */
		unsigned total;       /* per worker */
		unsigned tunnels;     /* per worker, apart from the others */
		unsigned queue;       /* waiting requests, per worker */
		uint64_t queue_timeout_us;
		uint64_t queue_target_us; /* 0: first come, first served */
		uint64_t queue_interval_us;
		uint64_t idle_us;      /* how long an idle connection is kept */
		uint64_t max_age_us;   /* of a connection; 0: any age */
		unsigned max_requests; /* of a connection; 0: any number */
	} pool;
	struct {
		uint64_t connect_us;
		uint64_t send_us;   /* between two writes with progress */
		uint64_t read_us;   /* between two reads */
		uint64_t tunnel_us; /* without a byte in either direction */
	} timeouts;
	struct config_hash hash;
	char *sticky_cookie;    /* NULL: none; else the cookie's name */
	uint64_t slow_start_us; /* 0: none */
	struct {
		unsigned failures; /* in a row, once reached; 0: never */
		uint64_t for_us;   /* the first time; doubles, to 10 times */
	} eject;
	struct {
		char *path; /* NULL: no active checks */
		char *host; /* NULL: the service's name */
		enum config_health_method method;
		struct config_field *headers;
		size_t header_count;
		unsigned port; /* 0: the endpoint's */
		struct config_statuses statuses;
		char *body; /* a fragment of a good body; NULL: any */
		uint64_t interval_us;
		uint64_t timeout_us;
		unsigned rise;
		unsigned fall;
	} health;
	struct {
		unsigned failures; /* 0: no breaker; else 1 .. 60 */
		uint64_t window_us;
		uint64_t open_for_us;
	} breaker;
};

struct config_respond {
	unsigned status;
	char *json; /* body; {{random}} becomes 16 hex digits */
	uint64_t delay_us;
	unsigned fail_percent; /* of requests answered 503 instead */
};

/* A header or query parameter as a condition of a route. */
struct config_match {
	char *name;
	char *value; /* NULL: any value, if present */
};

/* A route has a service >= 0, a handler or has_respond: exactly one. */
struct config_route {
	char *path;       /* prefix, on a path segment's boundary; path.h */
	unsigned series;  /* index; at least 1 */
	bool exact;       /* no prefix: the whole path */
	char *host;       /* NULL: any; or a name, or "*.example.org" */
	uint64_t methods; /* bits 1 << HTTP_GET ..., of llhttp; 0: any */
	struct config_match *headers;
	size_t header_count;
	struct config_match *query;
	size_t query_count;
	char *rewrite;     /* NULL, or the new prefix upstream */
	bool upgrade_body; /* a request with a body may ask for an upgrade */
	char *service_name;
	int service; /* index, or -1 */
	enum config_handler handler;
	bool has_respond;
	struct config_respond respond;
};

/* A series of the metrics: routes with the same path and service share a
 * series. The first series counts requests without a route. */
struct config_series {
	const char *path; /* of the first route; "": no route */
	int service;      /* index, or -1 */
};

struct config {
	char *path;     /* the file */
	char *warnings; /* NULL, or lines "FILE:LINE: warning: KEY: text" */
	/* Lines of keys whose values are tried only after loading. */
	struct {
		unsigned state_dir;
		unsigned user;
		unsigned access;
		unsigned admin;
		unsigned spawn;
	} lines;
	char *instance;
	char *cluster;
	unsigned workers; /* 0: a worker per usable core */
	char *user;       /* NULL: keep the user that started Drover */
	char *state_dir;
	uint64_t drain_timeout_us;
	struct {
		enum log_level level;
		enum log_format format; /* of the access log too */
		char *access;           /* NULL: off; "stdout"; or a path */
		struct config_log_field *fields;
		size_t field_count;
	} log;
	struct {
		size_t header_bytes;  /* of a request head */
		size_t older_bytes;   /* the same, by the older key */
		size_t target_bytes;  /* of a request target; more: 414 */
		uint64_t body_bytes;  /* of a request body; 0: no limit */
		unsigned connections; /* clients per worker */
		uint64_t header_timeout_us;
		uint64_t body_timeout_us; /* between two reads */
		uint64_t body_rate;       /* bytes a second, at least; 0: any */
		uint64_t send_timeout_us; /* between two writes */
		uint64_t keep_alive_us;   /* idle between two requests */
		uint64_t max_age_us;      /* of a connection; 0: any age */
		unsigned max_requests;    /* of a connection; 0: any number */
		struct path_rules path;   /* of a request, and of a route */
		struct cidr *trusted;     /* networks of trusted proxies */
		size_t trusted_count;
	} client;
	struct config_listen *listen;
	size_t listen_count;
	struct config_admin admin;
	struct {
		uint64_t delay_warning_us;
		uint64_t stall_threshold_us;
		uint64_t kill_after_us; /* 0: never */
	} event_loop;
	struct {
		bool enabled; /* a `redis` url, or spawn */
		struct redis_url url;
		bool spawn; /* the master runs a private redis-server */
	} redis;
	struct config_service *services;
	size_t service_count;
	struct config_route *routes;
	size_t route_count;
	struct config_series *series;
	size_t series_count; /* at most CONFIG_ROUTES_MAX + 1 */
};

#endif
