#include "config_keys.h"

#include "config.h"
#include "config_endpoint.h"
#include "config_health.h"
#include "config_match.h"
#include "config_names.h"
#include "parser.h"

#define STATUSES_MAX 64
#define METHODS_MAX 64 /* more than HTTP has */
#define KIB (UINT64_C(1) << 10)
#define GIB (UINT64_C(1) << 30)
#define TIB (UINT64_C(1) << 40)

#define ROOT(member) offsetof(struct config, member)
#define LISTEN(member) offsetof(struct config_listen, member)
#define SERVICE(member) offsetof(struct config_service, member)
#define ROUTE(member) offsetof(struct config_route, member)

/* A row: key, type, offset, default, least, most, meaning; rarer members follow
 * by name. */
#define ROW(k, t, at, d, least, most, ...)                                     \
	{.key = k,                                                             \
	    .type = t,                                                         \
	    .offset = at,                                                      \
	    .otherwise = d,                                                    \
	    .min = least,                                                      \
	    .max = most,                                                       \
	    .help = __VA_ARGS__}
#define NUMBER(k, at, d, least, most, ...)                                     \
	ROW(k, CONFIG_NUMBER, at, d, least, most, __VA_ARGS__)
#define SIZE(k, at, d, least, most, ...)                                       \
	ROW(k, CONFIG_SIZE, at, d, least, most, __VA_ARGS__)
#define TIME(k, at, d, ...)                                                    \
	ROW(k, CONFIG_DURATION, at, d, CONFIG_MS, CONFIG_DAY, __VA_ARGS__)
#define TIME_OR_0(k, at, d, ...)                                               \
	ROW(k, CONFIG_DURATION, at, d, 0, CONFIG_DAY, __VA_ARGS__)
#define BOOL(k, at, d, ...) ROW(k, CONFIG_BOOL, at, d, 0, 1, __VA_ARGS__)
#define CHOICE(k, at, d, of, ...)                                              \
	ROW(k, CONFIG_CHOICE, at, d, 0, 0, __VA_ARGS__, .names = of)
#define FORM(k, at, d, as, ...)                                                \
	ROW(k, CONFIG_FORM, at, d, 0, 0, __VA_ARGS__, .form = &(as))
#define MAP(k, of, ...)                                                        \
	ROW(k, CONFIG_MAP, 0, NULL, 0, 0, __VA_ARGS__, .keys = of)
#define LIST(k, at, count, entry, least, most, ...)                            \
	ROW(k, CONFIG_LIST, at, NULL, least, most, __VA_ARGS__,                \
	    .count_offset = count, .entry_size = sizeof(entry))
#define END {.key = NULL}

/* ---- the process ---- */

static const struct config_key log_keys[] = {
    CHOICE("level", ROOT(log.level), "info", config_names_level,
	"the lowest level that is logged"),
    CHOICE("format", ROOT(log.format), "text", config_names_format,
	"of the log (standard error) and of the access log"),
    FORM("access", ROOT(log.access), "off", config_form_access,
	"the access log. `user` opens the file, and reopens the file on USR1: "
	"the folder has to be writable by `user`"),
    LIST("fields", ROOT(log.fields), ROOT(log.field_count),
	struct config_log_field, 0, CONFIG_LOG_FIELDS_MAX,
	"fields that the access log has besides its own: "
	"`[User-Agent, Referer, response:X-Cache]`. A name alone: of the "
	"request; behind `response:`, of the service's response. Names in any "
	"case. `Authorization`, `Proxy-Authorization`, `Cookie` and "
	"`Set-Cookie` are secrets, and refused",
	.unique = true, .form = &config_form_log_field),
    END,
};

/* A path has one spelling before routes are compared, see path.h. */
static const struct config_key path_keys[] = {
    CHOICE("dot_segments", ROOT(client.path.dot_segments), "resolve",
	config_names_dots,
	"`/x/../a`, also with `%2e`: becomes `/a`, or is a 400. A path that "
	"leads above the root is always a 400"),
    CHOICE("empty_segments", ROOT(client.path.empty_segments), "merge",
	config_names_empty,
	"`/a//b`: becomes `/a/b`, stays, or is a 400. Merged before dot "
	"segments are resolved"),
    CHOICE("escapes", ROOT(client.path.escapes), "decode", config_names_escapes,
	"`/%61`, of a letter, a digit or one of `-._~`: becomes `/a`, or is a "
	"400. Other escapes stay, as `%C3` with digits in upper case"),
    CHOICE("encoded_slash", ROOT(client.path.encoded_slash), "keep",
	config_names_slash,
	"`/a%2Fb`: stays, as one segment, or is a 400. Write `refuse` for a "
	"service that decodes a path before the path is split"),
    CHOICE("backslash", ROOT(client.path.backslash), "keep", config_names_slash,
	"`/a\\b` and `/a%5Cb`: stay, or are a 400. Write `refuse` for a "
	"service that takes a backslash for a slash"),
    END,
};

static const struct config_key client_keys[] = {
    SIZE("headers", ROOT(client.header_bytes), "16k", KIB, PARSER_HEAD_MAX,
	"limit of a request head, and of a chunked body's framing with its "
	"trailers; more is a 431. The number of fields has no limit of its "
	"own"),
    SIZE("header", ROOT(client.older_bytes), "16k", KIB, 16 * KIB,
	"the older name of `headers`, with the older range"),
    SIZE("target", ROOT(client.target_bytes), "8k", 256, PARSER_TARGET_MAX,
	"limit of path and query, or of the whole URL; more is a 414. Never "
	"above `headers`: shorter `headers` shorten the default"),
    SIZE("body", ROOT(client.body_bytes), "16m", 0, TIB,
	"limit of a request body; more is a 413; 0: no limit"),
    NUMBER("connections", ROOT(client.connections), "10000", 1, 1000000,
	"clients per worker. Beyond the limit a new client takes the place of "
	"an idle client; without an idle client, the new connection is closed "
	"at once"),
    TIME("header_timeout", ROOT(client.header_timeout_us), "10s",
	"from the first byte of a request head to the last; then 408"),
    TIME("body_timeout", ROOT(client.body_timeout_us), "60s",
	"between two reads of a request body"),
    SIZE("body_rate", ROOT(client.body_rate), "240", 0, GIB,
	"bytes a second, the lowest average rate of a request body; below: "
	"408; 0: any rate"),
    TIME("send_timeout", ROOT(client.send_timeout_us), "60s",
	"between two writes to a client"),
    TIME("keep_alive", ROOT(client.keep_alive_us), "75s",
	"how long an idle connection is kept open. A client that sends "
	"`Connection: keep-alive` is told, as `Keep-Alive: timeout=`"),
    TIME_OR_0("max_age", ROOT(client.max_age_us), "0",
	"age after which the next response of a connection is the last, less "
	"up to a tenth by chance; 0: any age. New gateways behind a balancer "
	"get their share that way"),
    NUMBER("max_requests", ROOT(client.max_requests), "0", 0, 1000000000,
	"requests of a connection; the last response says `Connection: "
	"close`; 0: any number"),
    MAP("path", path_keys, NULL),
    LIST("trusted_proxies", ROOT(client.trusted), ROOT(client.trusted_count),
	struct cidr, 0, CONFIG_PROXIES_MAX,
	"the proxies in front. Such a peer is believed: its `X-Forwarded-For`, "
	"read from the right, names the client with the first address that is "
	"not in the list (without such a field: the `for` of `Forwarded`); "
	"`X-Forwarded-Proto`, `-Host`, `-Port`, `-Prefix` and `Forwarded` "
	"reach the service. From every other peer none of these fields "
	"passes: the service gets the peer's address and `http`. `unix`: "
	"every peer on a unix socket",
	.form = &config_form_cidr),
    END,
};

static const struct config_key listen_keys[] = {
    FORM("address", 0, NULL, config_form_listen,
	"address to listen on; `*`: every address, IPv4 and IPv6 (where the "
	"kernel has IPv6); `0.0.0.0`: every IPv4 address alone; `[::]`: every "
	"IPv6 address alone",
	.required = true, .empty = "write *:3000"),
    CHOICE("accept", LISTEN(accept), "reuseport", config_names_accept,
	"`reuseport`: a listener per worker, served by the neighbours while "
	"the worker is busy; `reuseport_plain`: a listener per worker; "
	"`shared`: a single listener, as for every unix socket"),
    BOOL("proxy_protocol", LISTEN(proxy_protocol), "false",
	"`true`: every connection begins with a header of the PROXY protocol, "
	"version 1 or 2, which names the client. Only peers of "
	"`client.trusted_proxies` may connect. The header has to come within "
	"`client.header_timeout`; a connection without it is closed"),
    END,
};

static const struct config_key admin_keys[] = {
    FORM("address", ROOT(admin), NULL, config_form_admin,
	"address to listen on; empty: none", .required = true),
    END,
};

static const struct config_key event_loop_keys[] = {
    TIME("delay_warning", ROOT(event_loop.delay_warning_us), "50ms",
	"longer delays are logged when the delay ends"),
    TIME("stall_threshold", ROOT(event_loop.stall_threshold_us), "50ms",
	"a worker blocked for longer is logged during the block"),
    TIME_OR_0("kill_after", ROOT(event_loop.kill_after_us), "0",
	"a worker blocked for longer is killed; 0: never; at least "
	"`stall_threshold`"),
    END,
};

static const struct config_key redis_keys[] = {
    FORM("url", ROOT(redis.url), NULL, config_form_redis,
	"the server; empty: none"),
    BOOL("spawn", ROOT(redis.spawn), "false",
	"instead of `url`: the master runs a private redis-server on a unix "
	"socket"),
    END,
};

/* ---- services ---- */

static const struct config_key sticky_keys[] = {
    FORM("cookie", SERVICE(sticky_cookie), NULL, config_form_cookie,
	"name of the cookie that ties a client to the endpoint of the first "
	"answer",
	.required = true),
    END,
};

static const struct config_key eject_keys[] = {
    NUMBER("failures", SERVICE(eject.failures), "3", 0, 1000,
	"failures in a row that eject an endpoint; 0: failures never eject. An "
	"unreachable endpoint is always ejected at once"),
    TIME("for", SERVICE(eject.for_us), "1s",
	"how long an ejection lasts; doubles with each ejection, up to ten "
	"times the value"),
    END,
};

static const struct config_key pool_keys[] = {
    NUMBER("connections", SERVICE(pool.connections), "1000", 1, 100000,
	"to an endpoint, per worker. A full endpoint is passed over; with all "
	"endpoints full, requests wait in the queue"),
    NUMBER("total", SERVICE(pool.total), "10000", 1, 1000000,
	"to all endpoints of the service together, per worker"),
    NUMBER("tunnels", SERVICE(pool.tunnels), "10000", 0, 1000000,
	"connections after an upgrade (WebSocket), per worker, apart from "
	"`connections` and `total`; an upgrade past them is a 503"),
    NUMBER("queue", SERVICE(pool.queue), "5000", 0, 1000000,
	"waiting requests per worker; more are a 503"),
    TIME("queue_timeout", SERVICE(pool.queue_timeout_us), "5s",
	"longest wait in the queue; then 503"),
    TIME_OR_0("queue_target", SERVICE(pool.queue_target_us), "100ms",
	"when all requests have waited for longer during `queue_interval`, the "
	"service is overloaded: the newest request goes first, and a request "
	"that has waited for a quarter of the target gets a 503. 0: first "
	"come, first served, always"),
    TIME("queue_interval", SERVICE(pool.queue_interval_us), "1s",
	"see `queue_target`; also the time without a refusal that ends an "
	"overload in the log"),
    TIME("idle", SERVICE(pool.idle_us), "4s",
	"how long an idle connection is kept; less where the service's "
	"`Keep-Alive: timeout=` says so, with a second to spare"),
    TIME_OR_0("max_age", SERVICE(pool.max_age_us), "1h",
	"age after which a connection is closed between two requests, less up "
	"to a tenth by chance; 0: any age. Behind one virtual address, new "
	"instances get their share that way"),
    NUMBER("max_requests", SERVICE(pool.max_requests), "0", 0, 1000000000,
	"requests of a connection; 0: any number. `Keep-Alive: max=` of the "
	"service is heeded, too"),
    END,
};

static const struct config_key timeouts_keys[] = {
    TIME(
	"connect", SERVICE(timeouts.connect_us), "10s", "for a new connection"),
    TIME("send", SERVICE(timeouts.send_us), "60s",
	"between two writes to the service"),
    TIME("read", SERVICE(timeouts.read_us), "60s", "between two reads"),
    TIME("tunnel", SERVICE(timeouts.tunnel_us), "10m",
	"without a byte in either direction, after an upgrade (WebSocket)"),
    END,
};

static const struct config_key expect_keys[] = {
    ROW("status", CONFIG_LIST, SERVICE(health.statuses), NULL, 1, STATUSES_MAX,
	"good statuses, such as `[200, 204]`; none: 2xx and 3xx",
	.form = &config_health_status),
    FORM("body", SERVICE(health.body), NULL, config_form_fragment,
	"text that a good body has, in its first 64 KiB"),
    END,
};

static const struct config_key health_keys[] = {
    FORM("path", SERVICE(health.path), NULL, config_form_path,
	"path of the active checks", .required = true,
	.empty = "write /health"),
    CHOICE("method", SERVICE(health.method), "GET", config_names_health,
	"method of a check; no body is sent"),
    FORM("host", SERVICE(health.host), NULL, config_health_host,
	"`Host` of a check; default: the service's name"),
    LIST("headers", SERVICE(health.headers), SERVICE(health.header_count),
	struct config_field, 1, CONFIG_HEALTH_HEADERS_MAX,
	"further header fields of a check, such as "
	"`[\"X-Forwarded-Proto: https\"]`",
	.form = &config_health_header),
    NUMBER("port", SERVICE(health.port), "0", 0, 65535,
	"port of the checks, at each endpoint's address; 0: the endpoint's"),
    MAP("expect", expect_keys, NULL),
    TIME("interval", SERVICE(health.interval_us), "2s", "between two checks"),
    TIME("timeout", SERVICE(health.timeout_us), "1s", "of one check"),
    NUMBER("rise", SERVICE(health.rise), "2", 1, 100,
	"good results in a row that bring an endpoint back"),
    NUMBER("fall", SERVICE(health.fall), "3", 1, 100,
	"bad results in a row that take an endpoint out"),
    END,
};

static const struct config_key breaker_keys[] = {
    NUMBER("failures", SERVICE(breaker.failures), "3", 0, 60,
	"failures in a row that open the circuit; 0, or no `breaker`: no "
	"circuit"),
    TIME("window", SERVICE(breaker.window_us), "10s",
	"time span for the failures"),
    TIME("open_for", SERVICE(breaker.open_for_us), "10s",
	"how long the circuit stays open before the probe"),
    END,
};

static const struct config_key service_keys[] = {
    FORM("name", SERVICE(name), NULL, config_form_name,
	"for routes, logs, metrics and Redis", .required = true,
	.empty = "a name is required"),
    LIST("endpoints", SERVICE(endpoints), SERVICE(endpoint_count),
	struct config_endpoint, 1, CONFIG_ENDPOINTS_MAX,
	"`\"host:port weight=3\"`: weight 0 to 100, default 1. A name stands "
	"for each of its addresses, up to 1024, all with the same weight; of "
	"more addresses the lowest 1024 are used, IPv4 before IPv6, and a "
	"warning in the log has the number. Weight 0 drains: "
	"only clients tied by a sticky cookie are sent there",
	.required = true, .unique = true, .form = &config_endpoint_form),
    LIST("source", SERVICE(sources), SERVICE(source_count),
	struct config_source, 1, CONFIG_SOURCES_MAX,
	"local addresses to connect from, in turn: each has local ports of its "
	"own. Of the endpoint's family; without an address of the family, and "
	"for unix sockets, the kernel chooses",
	.unique = true, .form = &config_endpoint_source_form),
    CHOICE("policy", SERVICE(policy), "round_robin", config_names_policy,
	"`round_robin`: in turn; `least_conn`: fewest requests in flight on "
	"this host; `random_two`: the less busy of two random endpoints; "
	"`ip_hash`: by client address; `consistent_hash`: by `hash`"),
    FORM("hash", SERVICE(hash), "path", config_form_hash,
	"key of `consistent_hash`; `path` is without the query"),
    MAP("sticky", sticky_keys, NULL, .opt_in = true),
    TIME_OR_0("slow_start", SERVICE(slow_start_us), "0",
	"ramp-up of an endpoint that is new or back, from a small share to the "
	"full share; 0: none"),
    MAP("eject", eject_keys, NULL),
    TIME("resolve", SERVICE(resolve_us), "1s",
	"longest time between two DNS look-ups of a name; a shorter TTL wins"),
    NUMBER("retries", SERVICE(retries), "1", 0, 10,
	"retries on another endpoint, where a retry is safe. In a worker, at "
	"most a fifth of all live requests may be on a retry, and three "
	"always. A request of which no byte has left is not limited so"),
    ROW("retry_on", CONFIG_LIST, SERVICE(retry_on), "[connect, reset]", 0, 6,
	"failures after which a request may be tried again. `connect`: no "
	"connection came up; `reset`: the connection broke, or the response is "
	"invalid; `timeout`: `timeouts.send` or `timeouts.read`; `502`, `503`, "
	"`504`: the status of a response. A byte has left except after "
	"`connect`, so only methods like GET, PUT and DELETE are tried again. "
	"`timeout` is no default: a late request may still be at work, and "
	"the work would double when the service is slow already. The statuses "
	"are no default either: the service has answered",
	.form = &config_form_retry_on),
    BOOL("abort_on_close", SERVICE(abort_on_close), "false",
	"`true`: a request that runs ends when its client has closed, or shut "
	"down its sending side, and pipelined nothing. A request in the queue "
	"always does"),
    SIZE("headers", SERVICE(header_bytes), "16k", KIB, PARSER_HEAD_MAX,
	"limit of a response head (each, with interim responses), and of a "
	"chunked body's framing with its trailers. More is a 502 that does not "
	"count as the service's failure. The number of fields has no limit of "
	"its own"),
    CHOICE("send_proxy", SERVICE(send_proxy), "off", config_names_send_proxy,
	"`v1`, `v2`: each connection to the service begins with a header of "
	"the PROXY protocol that names the client. Such a connection is "
	"reused for the same client's connection alone. Health checks send "
	"UNKNOWN or LOCAL"),
    MAP("pool", pool_keys, NULL),
    MAP("timeouts", timeouts_keys, NULL),
    MAP("health", health_keys, NULL, .opt_in = true),
    MAP("breaker", breaker_keys, NULL, .opt_in = true),
    END,
};

/* ---- routes ---- */

static const struct config_key respond_keys[] = {
    NUMBER("status", ROUTE(respond.status), "200", 200, 599,
	"status of the response"),
    FORM("json", ROUTE(respond.json), "", config_form_json,
	"the body; `{{random}}` becomes 16 hex digits"),
    TIME_OR_0(
	"delay", ROUTE(respond.delay_us), "0", "delay before the response"),
    NUMBER("fail_percent", ROUTE(respond.fail_percent), "0", 0, 100,
	"share of requests answered with a 503 instead"),
    END,
};

static const struct config_key route_keys[] = {
    FORM("path", ROUTE(path), NULL, config_form_path,
	"prefix on a segment's boundary: `/api/users` takes `/api/users/7`, "
	"not `/api/usersX`; `/static/` takes all paths below, not `/static`. "
	"Requests are compared in the form of `client.path`",
	.required = true, .empty = "write / for all"),
    BOOL("exact", ROUTE(exact), "false",
	"`true`: the whole path (without the query) has to be equal"),
    FORM("host", ROUTE(host), NULL, config_match_host,
	"without a port, in any case; `*.` stands for all names below, not for "
	"the name itself"),
    ROW("methods", CONFIG_LIST, ROUTE(methods), NULL, 1, METHODS_MAX,
	"such as `[GET, POST]`; GET includes HEAD",
	.form = &config_match_method),
    LIST("headers", ROUTE(headers), ROUTE(header_count), struct config_match, 1,
	CONFIG_MATCHES_MAX,
	"required headers: `[\"Target-Service-Id: eth\", X-Debug]`. A name "
	"alone: any value. Names in any case, values exactly",
	.unique = true, .form = &config_match_header),
    LIST("query", ROUTE(query), ROUTE(query_count), struct config_match, 1,
	CONFIG_MATCHES_MAX,
	"required parameters: `[endpoint=eth, debug]`, compared without "
	"decoding",
	.unique = true, .form = &config_match_parameter),
    FORM("service", ROUTE(service_name), NULL, config_form_text,
	"the name of a service", .empty = "a value is required"),
    FORM("rewrite", ROUTE(rewrite), NULL, config_form_path,
	"with `service`: replaces the prefix upstream"),
    BOOL("upgrade_body", ROUTE(upgrade_body), "false",
	"with `service`: passes the Upgrade of a request with a body, as "
	"`docker exec` sends it; `false`: the Upgrade is dropped"),
    ROW("handler", CONFIG_CHOICE, ROUTE(handler), NULL, CONFIG_HANDLER_NONE + 1,
	0,
	"a response made by the gateway; `welcome`: a page about the gateway, "
	"with requests to try. Parameters: below",
	.names = config_names_handler, .empty = "name a handler"),
    MAP("respond", respond_keys, NULL, .opt_in = true),
    END,
};

/* ---- the file ---- */

const struct config_key config_keys[] = {
    FORM("instance", ROOT(instance), NULL, config_form_name,
	"name of the gateway; default: the host's name"),
    FORM("cluster", ROOT(cluster), "drover", config_form_name,
	"prefix of the keys in Redis; gateways with the same name share state"),
    NUMBER("workers", ROOT(workers), "auto", 1, CONFIG_WORKERS_MAX,
	"worker processes; `auto`: a worker per usable core (affinity and "
	"cgroup quota)",
	.word = "auto"),
    FORM("user", ROOT(user), NULL, config_form_name,
	"user of master and workers after a start as root"),
    FORM("state_dir", ROOT(state_dir), "/run/drover", config_form_file,
	"folder of pid file, scoreboard and private Redis; each Drover needs a "
	"different folder"),
    TIME_OR_0("drain_timeout", ROOT(drain_timeout_us), "10s",
	"longest drain after TERM or QUIT"),
    MAP("log", log_keys, NULL),
    MAP("client", client_keys, "Limits and timeouts of clients."),
    LIST("listen", ROOT(listen), ROOT(listen_count), struct config_listen, 1,
	CONFIG_LISTEN_MAX, NULL, .required = true, .keys = listen_keys),
    MAP("admin", admin_keys,
	"`/metrics` ([list](../docs/metrics.md)), `/api/cluster`, `/healthz`,\n"
	"`/readyz`. For operators: listen on loopback, or on a network of\n"
	"operators, as in `docker-compose.yml`. "
	"[prometheus.yml](prometheus.yml),\n"
	"[alerts.yml](alerts.yml) and [grafana/](grafana) read the metrics.",
	.opt_in = true),
    MAP("event_loop", event_loop_keys, NULL),
    MAP("redis", redis_keys,
	"State shared by gateways. Without Redis, each host keeps state of its "
	"own.",
	.opt_in = true),
    LIST("services", ROOT(services), ROOT(service_count), struct config_service,
	0, CONFIG_SERVICES_MAX, NULL, .keys = service_keys),
    LIST("routes", ROOT(routes), ROOT(route_count), struct config_route, 0,
	CONFIG_ROUTES_MAX,
	"The route with the longest matching `path`\n"
	"wins. A route has exactly one of `service`, `handler` and `respond`,\n"
	"and may have conditions besides `path`.",
	.keys = route_keys),
    END,
};
