#include "config_keys.h"

#include "config.h"
#include "config_endpoint.h"
#include "config_match.h"
#include "config_names.h"
#include "message.h"

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
	"lines below this level are left out"),
    CHOICE("format", ROOT(log.format), "text", config_names_format,
	"of the log, on standard error, and of the access log"),
    FORM("access", ROOT(log.access), "off", config_form_access,
	"the access log. `user` opens the file, also anew (USR1), so its "
	"folder has to be theirs"),
    END,
};

static const struct config_key client_keys[] = {
    SIZE("header", ROOT(client.header_bytes), "16k", KIB, MESSAGE_HEAD_MAX,
	"the head of one request; more is a 431"),
    SIZE("target", ROOT(client.target_bytes), "8k", 256, MESSAGE_HEAD_MAX,
	"its path and query, or whole URL, up to `header`; more is a 414. With "
	"a shorter `header`, as much as that"),
    SIZE("body", ROOT(client.body_bytes), "16m", 0, TIB,
	"the body of one request; 0: no limit; more is a 413"),
    NUMBER("connections", ROOT(client.connections), "10000", 1, 1000000,
	"per worker. When all are taken, an idle one makes way for a new one; "
	"if none is idle, the new one is closed at once"),
    TIME("header_timeout", ROOT(client.header_timeout_us), "10s",
	"from a request's first byte to its blank line; then 408"),
    TIME("body_timeout", ROOT(client.body_timeout_us), "60s",
	"between two pieces of a request's body"),
    SIZE("body_rate", ROOT(client.body_rate), "240", 0, GIB,
	"bytes a second: a request whose body comes more slowly is given up "
	"with a 408; 0: any"),
    TIME("send_timeout", ROOT(client.send_timeout_us), "60s",
	"between two writes that a client takes"),
    TIME("keep_alive", ROOT(client.keep_alive_us), "75s",
	"idle between two requests"),
    END,
};

static const struct config_key listen_keys[] = {
    FORM("address", 0, NULL, config_form_listen,
	"where to listen; `*`: every IPv4 address", .required = true,
	.empty = "write *:3000"),
    CHOICE("accept", LISTEN(accept), "reuseport", config_names_accept,
	"`reuseport`: a listener per worker, neighbours stand in; "
	"`reuseport_plain`: they do not; `shared`: one listener, as a unix "
	"socket always has"),
    END,
};

static const struct config_key admin_keys[] = {
    FORM("address", ROOT(admin), NULL, config_form_admin,
	"where to listen; empty: nowhere", .required = true),
    END,
};

static const struct config_key event_loop_keys[] = {
    TIME("delay_warning", ROOT(event_loop.delay_warning_us), "50ms",
	"a longer delay is logged at its end"),
    TIME("stall_threshold", ROOT(event_loop.stall_threshold_us), "50ms",
	"a worker that is blocked for longer is logged while it is"),
    TIME_OR_0("kill_after", ROOT(event_loop.kill_after_us), "0",
	"a worker that is blocked for longer is killed; 0: never; not shorter "
	"than `stall_threshold`"),
    END,
};

static const struct config_key redis_keys[] = {
    FORM("url", ROOT(redis.url), NULL, config_form_redis,
	"where it is; empty: nowhere"),
    BOOL("spawn", ROOT(redis.spawn), "false",
	"in place of `url`: the master runs a private redis-server on a unix "
	"socket"),
    END,
};

/* ---- services ---- */

static const struct config_key sticky_keys[] = {
    FORM("cookie", SERVICE(sticky_cookie), NULL, config_form_cookie,
	"a cookie of this name ties a client to the endpoint that answered it "
	"first",
	.required = true),
    END,
};

static const struct config_key eject_keys[] = {
    NUMBER("failures", SERVICE(eject.failures), "3", 0, 1000,
	"failures in a row after which an endpoint is passed over; 0: never "
	"for these. One that can't be reached is passed over at once in any "
	"case"),
    TIME("for", SERVICE(eject.for_us), "1s",
	"the first time; doubles with each, to ten times that"),
    END,
};

static const struct config_key pool_keys[] = {
    NUMBER("connections", SERVICE(pool.connections), "500", 1, 100000,
	"per worker"),
    NUMBER("queue", SERVICE(pool.queue), "5000", 0, 1000000,
	"requests that wait for a connection, per worker; more are a 503"),
    TIME("queue_timeout", SERVICE(pool.queue_timeout_us), "5s",
	"for so long; then 503"),
    TIME("idle", SERVICE(pool.idle_us), "4s",
	"how long an idle connection is kept"),
    END,
};

static const struct config_key timeouts_keys[] = {
    TIME("connect", SERVICE(timeouts.connect_us), "10s",
	"until a connection stands"),
    TIME("send", SERVICE(timeouts.send_us), "60s",
	"between two writes that the service takes"),
    TIME("read", SERVICE(timeouts.read_us), "60s", "between two reads"),
    TIME("tunnel", SERVICE(timeouts.tunnel_us), "10m",
	"of silence both ways, once a connection was upgraded (WebSocket)"),
    END,
};

static const struct config_key health_keys[] = {
    FORM("path", SERVICE(health.path), NULL, config_form_path,
	"active checks: `GET` of this path, 2xx or 3xx is good",
	.required = true, .empty = "write /health"),
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
	"in a row open the circuit; without `breaker`, or with 0, there is "
	"none"),
    TIME("window", SERVICE(breaker.window_us), "10s", "they have to fall into"),
    TIME("open_for", SERVICE(breaker.open_for_us), "10s",
	"then one probe decides"),
    END,
};

static const struct config_key service_keys[] = {
    FORM("name", SERVICE(name), NULL, config_form_name,
	"for routes, logs, metrics and Redis", .required = true,
	.empty = "a name is required"),
    LIST("endpoints", SERVICE(endpoints), SERVICE(endpoint_count),
	struct config_endpoint, 1, CONFIG_ENDPOINTS_MAX,
	"a name stands for all of its addresses. `\"host:port weight=3\"`: its "
	"share, 0 to 100, 1 if not given, for each address of a name; 0: "
	"drained, gets only the clients that a sticky cookie ties to it",
	.required = true, .unique = true, .form = &config_endpoint_form),
    CHOICE("policy", SERVICE(policy), "round_robin", config_names_policy,
	"in turn; `least_conn`: the one with the fewest requests in flight on "
	"this host; `random_two`: the less busy of two drawn at random; "
	"`ip_hash`: by the client's address; `consistent_hash`: by `hash`"),
    FORM("hash", SERVICE(hash), "path", config_form_hash,
	"with `consistent_hash`; the path goes without the query"),
    MAP("sticky", sticky_keys, NULL, .opt_in = true),
    TIME_OR_0("slow_start", SERVICE(slow_start_us), "0",
	"for so long an endpoint that came or came back gets less than its "
	"share; 0: all at once"),
    MAP("eject", eject_keys, NULL),
    TIME("resolve", SERVICE(resolve_us), "1s",
	"a name is looked up again after its TTL, but no later than this"),
    NUMBER("retries", SERVICE(retries), "1", 0, 10,
	"further tries on another endpoint, where it is safe; in a worker at "
	"most a fifth of its live requests are on one, three always may"),
    MAP("pool", pool_keys, NULL),
    MAP("timeouts", timeouts_keys, NULL),
    MAP("health", health_keys, NULL, .opt_in = true),
    MAP("breaker", breaker_keys, NULL, .opt_in = true),
    END,
};

/* ---- routes ---- */

static const struct config_key respond_keys[] = {
    NUMBER("status", ROUTE(respond.status), "200", 200, 599,
	"of an answer that is written here"),
    FORM("json", ROUTE(respond.json), "", config_form_json,
	"the body; `{{random}}` becomes 16 hex digits"),
    TIME_OR_0(
	"delay", ROUTE(respond.delay_us), "0", "until the answer goes out"),
    NUMBER("fail_percent", ROUTE(respond.fail_percent), "0", 0, 100,
	"of the requests get a 503 instead"),
    END,
};

static const struct config_key route_keys[] = {
    FORM("path", ROUTE(path), NULL, config_form_path,
	"`/api/users` takes `/api/users/7`, not `/api/usersX`; `/static/` "
	"takes what is below it, not `/static`",
	.required = true, .empty = "write / for all"),
    BOOL("exact", ROUTE(exact), "false",
	"`true`: no prefix, `path` is the whole path (without the query)"),
    FORM("host", ROUTE(host), NULL, config_match_host,
	"`*.` stands for all below, not for the name itself; in any case, "
	"without a port"),
    ROW("methods", CONFIG_LIST, ROUTE(methods), NULL, 1, METHODS_MAX,
	"`[GET, POST]`; GET stands for HEAD too", .form = &config_match_method),
    LIST("headers", ROUTE(headers), ROUTE(header_count), struct config_match, 1,
	CONFIG_MATCHES_MAX,
	"all of which must be there: `[\"Target-Service-Id: eth\", X-Debug]`; "
	"a name alone: any value. Names in any case, values exactly",
	.unique = true, .form = &config_match_header),
    LIST("query", ROUTE(query), ROUTE(query_count), struct config_match, 1,
	CONFIG_MATCHES_MAX,
	"likewise: `[endpoint=eth, debug]`, compared as they are sent, not "
	"decoded",
	.unique = true, .form = &config_match_parameter),
    FORM("service", ROUTE(service_name), NULL, config_form_text,
	"the name of a service", .empty = "a value is required"),
    FORM("rewrite", ROUTE(rewrite), NULL, config_form_path,
	"with `service`: what takes the prefix's place upstream"),
    ROW("handler", CONFIG_CHOICE, ROUTE(handler), NULL, CONFIG_HANDLER_NONE + 1,
	0,
	"what this gateway answers by itself; `welcome`: a page that says "
	"what this is and what to try",
	.names = config_names_handler, .empty = "name a handler"),
    MAP("respond", respond_keys, NULL, .opt_in = true),
    END,
};

/* ---- the file ---- */

const struct config_key config_keys[] = {
    FORM("instance", ROOT(instance), NULL, config_form_name,
	"this gateway's own name; if not given, the host's"),
    FORM("cluster", ROOT(cluster), "drover", config_form_name,
	"prefix of the keys in Redis; gateways of one name share their state"),
    NUMBER("workers", ROOT(workers), "auto", 1, CONFIG_WORKERS_MAX,
	"processes; `auto`: one per usable core (affinity and cgroup quota)",
	.word = "auto"),
    FORM("user", ROOT(user), NULL, config_form_name,
	"who to become, when started as root"),
    FORM("state_dir", ROOT(state_dir), "/run/drover", config_form_file,
	"pid file, scoreboard, private Redis; one per process"),
    TIME_OR_0("drain_timeout", ROOT(drain_timeout_us), "10s",
	"what requests have to end in after TERM or QUIT"),
    MAP("log", log_keys, NULL),
    MAP("client", client_keys, "What clients may cost."),
    LIST("listen", ROOT(listen), ROOT(listen_count), struct config_listen, 1,
	CONFIG_LISTEN_MAX, NULL, .required = true, .keys = listen_keys),
    MAP("admin", admin_keys,
	"`/metrics` ([what is there](../docs/metrics.md)), `/api/cluster`,\n"
	"`/healthz`, `/readyz`. For operators: keep it on loopback, or on a\n"
	"network that only they reach, as `docker-compose.yml` does.\n"
	"[prometheus.yml](prometheus.yml), [alerts.yml](alerts.yml) and\n"
	"[grafana/](grafana) read it.",
	.opt_in = true),
    MAP("event_loop", event_loop_keys, NULL),
    MAP("redis", redis_keys, "Without it each host is for itself.",
	.opt_in = true),
    LIST("services", ROOT(services), ROOT(service_count), struct config_service,
	0, CONFIG_SERVICES_MAX, NULL, .keys = service_keys),
    LIST("routes", ROOT(routes), ROOT(route_count), struct config_route, 0,
	CONFIG_ROUTES_MAX,
	"The longest `path` that is a prefix on a segment's\n"
	"boundary wins. Each has exactly one of `service`, `handler` and\n"
	"`respond`, and may ask for more than a path.",
	.keys = route_keys),
    END,
};
