/*
 * config_schema - which keys there are, as libcyaml's schema and the structs
 * it fills. Start-up only.
 *
 * Every value is loaded as the text that was written, numbers and booleans
 * too: a ${VAR} may stand for any of them and is expanded only afterwards
 * (config_expand), and a bad number is then reported in our words, with its
 * key. NULL: the key is absent, or null. A mapping that is absent is NULL.
 */
#ifndef CONFIG_SCHEMA_H
#define CONFIG_SCHEMA_H

#include <stdint.h>

#include <cyaml/cyaml.h>

struct config_raw_log {
	char *level;
	char *format;
	char *access;
};

struct config_raw_client {
	char *header;
	char *target;
	char *body;
	char *connections;
	char *header_timeout;
	char *body_timeout;
	char *body_rate;
	char *send_timeout;
	char *keep_alive;
};

struct config_raw_listen {
	char *address;
	char *accept;
};

struct config_raw_admin {
	char *address;
};

struct config_raw_event_loop {
	char *delay_warning;
	char *stall_threshold;
	char *kill_after;
};

struct config_raw_redis {
	char *url;
	char *spawn;
};

struct config_raw_pool {
	char *connections;
	char *queue;
	char *queue_timeout;
	char *idle;
};

struct config_raw_timeouts {
	char *connect;
	char *send;
	char *read;
	char *tunnel;
};

struct config_raw_sticky {
	char *cookie;
};

/* The key is `for`, no name for a member. */
struct config_raw_eject {
	char *failures;
	char *duration;
};

struct config_raw_health {
	char *path;
	char *interval;
	char *timeout;
	char *rise;
	char *fall;
};

struct config_raw_breaker {
	char *failures;
	char *window;
	char *open_for;
};

struct config_raw_service {
	char *name;
	char **endpoints;
	uint32_t endpoints_count;
	char *policy;
	char *hash;
	struct config_raw_sticky *sticky;
	char *slow_start;
	struct config_raw_eject *eject;
	char *resolve;
	char *retries;
	struct config_raw_pool *pool;
	struct config_raw_timeouts *timeouts;
	struct config_raw_health *health;
	struct config_raw_breaker *breaker;
};

struct config_raw_respond {
	char *status;
	char *json;
	char *delay;
	char *fail_percent;
};

struct config_raw_route {
	char *path;
	char *exact;
	char *host;
	char **methods;
	uint32_t methods_count;
	char **headers;
	uint32_t headers_count;
	char **query;
	uint32_t query_count;
	char *rewrite;
	char *service;
	char *handler;
	struct config_raw_respond *respond;
};

struct config_raw {
	char *instance;
	char *cluster;
	char *workers;
	char *user;
	char *state_dir;
	char *drain_timeout;
	struct config_raw_log *log;
	struct config_raw_client *client;
	struct config_raw_listen *listen;
	uint32_t listen_count;
	struct config_raw_admin *admin;
	struct config_raw_event_loop *event_loop;
	struct config_raw_redis *redis;
	struct config_raw_service *services;
	uint32_t services_count;
	struct config_raw_route *routes;
	uint32_t routes_count;
};

/* The root; loads into a struct config_raw *. */
extern const cyaml_schema_value_t config_schema;

#endif
