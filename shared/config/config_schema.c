#include "config_schema.h"

#include "config.h"

#define CONFIG_METHODS_MAX 64 /* there are not as many */

/*
 * The flag lets `key:` and `key: null` stand for an absent key. Required keys
 * have it too: that they are there is config_shape's to say, which knows the
 * line.
 */
#define ABSENT_IS_NULL CYAML_FLAG_POINTER_NULL_STR
#define TEXT(structure, member)                                                \
	CYAML_FIELD_STRING_PTR(#member, ABSENT_IS_NULL | CYAML_FLAG_OPTIONAL,  \
	    struct structure, member, 0, CYAML_UNLIMITED)
#define TEXT_REQUIRED(structure, member)                                       \
	CYAML_FIELD_STRING_PTR(#member, ABSENT_IS_NULL, struct structure,      \
	    member, 0, CYAML_UNLIMITED)
#define MAP(structure, member, fields)                                         \
	CYAML_FIELD_MAPPING_PTR(                                               \
	    #member, CYAML_FLAG_OPTIONAL, struct structure, member, fields)
#define TEXTS(structure, member, max)                                          \
	CYAML_FIELD_SEQUENCE(#member, ABSENT_IS_NULL | CYAML_FLAG_OPTIONAL,    \
	    struct structure, member, &text_schema, 1, max)

/* An entry of a list. */
static const cyaml_schema_value_t text_schema = {
    CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 0, CYAML_UNLIMITED),
};

static const cyaml_schema_field_t log_fields[] = {
    TEXT(config_raw_log, level),
    TEXT(config_raw_log, format),
    TEXT(config_raw_log, access),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t client_fields[] = {
    TEXT(config_raw_client, header),
    TEXT(config_raw_client, target),
    TEXT(config_raw_client, body),
    TEXT(config_raw_client, connections),
    TEXT(config_raw_client, header_timeout),
    TEXT(config_raw_client, body_timeout),
    TEXT(config_raw_client, body_rate),
    TEXT(config_raw_client, send_timeout),
    TEXT(config_raw_client, keep_alive),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t listen_fields[] = {
    TEXT_REQUIRED(config_raw_listen, address),
    TEXT(config_raw_listen, accept),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t admin_fields[] = {
    TEXT_REQUIRED(config_raw_admin, address),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t event_loop_fields[] = {
    TEXT(config_raw_event_loop, delay_warning),
    TEXT(config_raw_event_loop, stall_threshold),
    TEXT(config_raw_event_loop, kill_after),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t redis_fields[] = {
    TEXT(config_raw_redis, url),
    TEXT(config_raw_redis, spawn),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t pool_fields[] = {
    TEXT(config_raw_pool, connections),
    TEXT(config_raw_pool, queue),
    TEXT(config_raw_pool, queue_timeout),
    TEXT(config_raw_pool, idle),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t timeouts_fields[] = {
    TEXT(config_raw_timeouts, connect),
    TEXT(config_raw_timeouts, send),
    TEXT(config_raw_timeouts, read),
    TEXT(config_raw_timeouts, tunnel),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t sticky_fields[] = {
    TEXT_REQUIRED(config_raw_sticky, cookie),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t eject_fields[] = {
    TEXT(config_raw_eject, failures),
    CYAML_FIELD_STRING_PTR("for", ABSENT_IS_NULL | CYAML_FLAG_OPTIONAL,
	struct config_raw_eject, duration, 0, CYAML_UNLIMITED),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t health_fields[] = {
    TEXT_REQUIRED(config_raw_health, path),
    TEXT(config_raw_health, interval),
    TEXT(config_raw_health, timeout),
    TEXT(config_raw_health, rise),
    TEXT(config_raw_health, fall),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t breaker_fields[] = {
    TEXT(config_raw_breaker, failures),
    TEXT(config_raw_breaker, window),
    TEXT(config_raw_breaker, open_for),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t service_fields[] = {
    TEXT_REQUIRED(config_raw_service, name),
    CYAML_FIELD_SEQUENCE("endpoints", CYAML_FLAG_POINTER,
	struct config_raw_service, endpoints, &text_schema, 1,
	CONFIG_ENDPOINTS_MAX),
    TEXT(config_raw_service, policy),
    TEXT(config_raw_service, hash),
    MAP(config_raw_service, sticky, sticky_fields),
    TEXT(config_raw_service, slow_start),
    MAP(config_raw_service, eject, eject_fields),
    TEXT(config_raw_service, resolve),
    TEXT(config_raw_service, retries),
    MAP(config_raw_service, pool, pool_fields),
    MAP(config_raw_service, timeouts, timeouts_fields),
    MAP(config_raw_service, health, health_fields),
    MAP(config_raw_service, breaker, breaker_fields),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t respond_fields[] = {
    TEXT(config_raw_respond, status),
    TEXT(config_raw_respond, json),
    TEXT(config_raw_respond, delay),
    TEXT(config_raw_respond, fail_percent),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t route_fields[] = {
    TEXT_REQUIRED(config_raw_route, path),
    TEXT(config_raw_route, exact),
    TEXT(config_raw_route, host),
    TEXTS(config_raw_route, methods, CONFIG_METHODS_MAX),
    TEXTS(config_raw_route, headers, CONFIG_MATCHES_MAX),
    TEXTS(config_raw_route, query, CONFIG_MATCHES_MAX),
    TEXT(config_raw_route, rewrite),
    TEXT(config_raw_route, service),
    TEXT(config_raw_route, handler),
    MAP(config_raw_route, respond, respond_fields),
    CYAML_FIELD_END,
};

static const cyaml_schema_value_t listen_schema = {
    CYAML_VALUE_MAPPING(
	CYAML_FLAG_DEFAULT, struct config_raw_listen, listen_fields),
};

static const cyaml_schema_value_t service_schema = {
    CYAML_VALUE_MAPPING(
	CYAML_FLAG_DEFAULT, struct config_raw_service, service_fields),
};

static const cyaml_schema_value_t route_schema = {
    CYAML_VALUE_MAPPING(
	CYAML_FLAG_DEFAULT, struct config_raw_route, route_fields),
};

static const cyaml_schema_field_t root_fields[] = {
    TEXT(config_raw, instance),
    TEXT(config_raw, cluster),
    TEXT(config_raw, workers),
    TEXT(config_raw, user),
    TEXT(config_raw, state_dir),
    TEXT(config_raw, drain_timeout),
    MAP(config_raw, log, log_fields),
    MAP(config_raw, client, client_fields),
    CYAML_FIELD_SEQUENCE("listen", CYAML_FLAG_POINTER, struct config_raw,
	listen, &listen_schema, 1, CONFIG_LISTEN_MAX),
    MAP(config_raw, admin, admin_fields),
    MAP(config_raw, event_loop, event_loop_fields),
    MAP(config_raw, redis, redis_fields),
    CYAML_FIELD_SEQUENCE("services", ABSENT_IS_NULL | CYAML_FLAG_OPTIONAL,
	struct config_raw, services, &service_schema, 0, CONFIG_SERVICES_MAX),
    CYAML_FIELD_SEQUENCE("routes", ABSENT_IS_NULL | CYAML_FLAG_OPTIONAL,
	struct config_raw, routes, &route_schema, 0, CONFIG_ROUTES_MAX),
    CYAML_FIELD_END,
};

const cyaml_schema_value_t config_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct config_raw, root_fields),
};
