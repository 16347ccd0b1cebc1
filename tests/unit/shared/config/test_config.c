/* Goal: a good file gives the written values and the documented defaults.
 * Faulty files are in test_config_errors.c. */
#include "config_fixture.h"

#include "config_names.h"

#include <sys/wait.h>

#include <sched.h>

static const char minimal[] = "listen: [{ address: \"*:3000\" }]\n";

static void
test_defaults(void **state)
{
	struct config *c = fixture_load(minimal);

	(void)state;
	assert_true(strlen(c->instance) > 0);
	assert_string_equal(c->cluster, "drover");
	assert_int_equal(c->workers, 0);
	assert_null(c->user);
	assert_string_equal(c->state_dir, "/run/drover");
	assert_int_equal(c->drain_timeout_us, 10 * SECOND);
	assert_int_equal(c->log.level, LOG_LEVEL_INFO);
	assert_int_equal(c->log.format, LOG_FORMAT_TEXT);
	assert_null(c->log.access);
	assert_int_equal(c->client.header_bytes, 16384);
	assert_int_equal(c->client.target_bytes, 8192);
	assert_int_equal(c->client.body_bytes, 16 << 20);
	assert_int_equal(c->client.body_rate, 240);
	assert_int_equal(c->client.connections, 10000);
	assert_int_equal(c->client.header_timeout_us, 10 * SECOND);
	assert_int_equal(c->client.body_timeout_us, 60 * SECOND);
	assert_int_equal(c->client.send_timeout_us, 60 * SECOND);
	assert_int_equal(c->client.keep_alive_us, 75 * SECOND);
	assert_int_equal(c->client.max_age_us, 0);
	assert_int_equal(c->client.max_requests, 0);
	assert_int_equal(c->client.path.dot_segments, PATH_DOTS_RESOLVE);
	assert_int_equal(c->client.path.empty_segments, PATH_EMPTY_MERGE);
	assert_int_equal(c->client.path.escapes, PATH_ESCAPES_DECODE);
	assert_int_equal(c->client.path.encoded_slash, PATH_SLASH_KEEP);
	assert_int_equal(c->client.path.backslash, PATH_SLASH_KEEP);
	assert_int_equal(c->client.trusted_count, 0);
	assert_int_equal(c->listen_count, 1);
	assert_string_equal(c->listen[0].text, "*:3000");
	assert_int_equal(c->listen[0].accept, CONFIG_ACCEPT_REUSEPORT);
	assert_false(c->admin.enabled);
	assert_int_equal(c->event_loop.delay_warning_us, SECOND / 20);
	assert_int_equal(c->event_loop.stall_threshold_us, SECOND / 20);
	assert_int_equal(c->event_loop.kill_after_us, 0);
	assert_false(c->redis.enabled);
	assert_int_equal(c->service_count, 0);
	assert_int_equal(c->route_count, 0);
	assert_int_equal(c->series_count, 1);
	config_load_free(c);
}

static void
test_service_defaults(void **state)
{
	struct config *c = fixture_load("listen: [{address: '*:1'}]\n"
					"services:\n"
					"- {name: a, endpoints: ['h:1']}\n"
					"- {name: b, endpoints: ['h:1'], "
					"breaker: {}, health: {path: /}}\n");
	const struct config_service *s = &c->services[0];

	(void)state;
	assert_int_equal(s->policy, CONFIG_POLICY_ROUND_ROBIN);
	assert_int_equal(s->resolve_us, SECOND);
	assert_int_equal(s->source_count, 0);
	assert_int_equal(s->retries, 1);
	assert_int_equal(
	    s->retry_on, 1U << CONFIG_RETRY_CONNECT | 1U << CONFIG_RETRY_RESET);
	assert_false(s->abort_on_close);
	assert_int_equal(s->send_proxy, CONFIG_SEND_PROXY_OFF);
	assert_int_equal(s->pool.connections, 1000);
	assert_int_equal(s->pool.total, 10000);
	assert_int_equal(s->pool.tunnels, 10000);
	assert_int_equal(s->pool.queue, 5000);
	assert_int_equal(s->pool.queue_timeout_us, 5 * SECOND);
	assert_int_equal(s->pool.queue_target_us, SECOND / 10);
	assert_int_equal(s->pool.queue_interval_us, SECOND);
	assert_int_equal(s->pool.idle_us, 4 * SECOND);
	assert_int_equal(s->pool.max_age_us, 3600 * SECOND);
	assert_int_equal(s->pool.max_requests, 0);
	assert_int_equal(s->timeouts.connect_us, 10 * SECOND);
	assert_int_equal(s->timeouts.send_us, 60 * SECOND);
	assert_int_equal(s->timeouts.read_us, 60 * SECOND);
	assert_int_equal(s->timeouts.tunnel_us, 600 * SECOND);
	assert_int_equal(s->endpoints[0].weight, 1);
	assert_int_equal(s->hash.on, CONFIG_HASH_PATH);
	assert_null(s->hash.name);
	assert_null(s->sticky_cookie);
	assert_int_equal(s->slow_start_us, 0);
	assert_int_equal(s->eject.failures, 3);
	assert_int_equal(s->eject.for_us, SECOND);
	assert_null(s->health.path);
	assert_int_equal(s->breaker.failures, 0);
	s = &c->services[1];
	assert_string_equal(s->health.path, "/");
	assert_int_equal(s->health.interval_us, 2 * SECOND);
	assert_int_equal(s->health.timeout_us, SECOND);
	assert_int_equal(s->health.rise, 2);
	assert_int_equal(s->health.fall, 3);
	assert_int_equal(s->breaker.failures, 3);
	assert_int_equal(s->breaker.window_us, 10 * SECOND);
	assert_int_equal(s->breaker.open_for_us, 10 * SECOND);
	config_load_free(c);
}

static const char full[] =
    "instance: east-1\n"
    "cluster: demo\n"
    "workers: 4\n"
    "user: nobody\n"
    "state_dir: /tmp/state\n"
    "drain_timeout: 0\n"
    "log: { level: ${T_LEVEL:-debug}, format: json, access: /var/log/a,\n"
    "  fields: [User-Agent, 'response:X-Cache', X-Response] }\n"
    "client: { header: 8k, target: 4k, body_rate: 1k, body: 1g, connections: "
    "5, header_timeout: 1s,\n"
    "  body_timeout: 2s, send_timeout: 3s, keep_alive: 1h,\n  max_age: 2h, "
    "max_requests: 7,\n"
    "  path: { dot_segments: refuse, empty_segments: keep, escapes: refuse,\n"
    "    encoded_slash: refuse, backslash: refuse },\n"
    "  trusted_proxies: [10.0.0.0/8, 'fd00::/8', 192.0.2.7, unix] }\n"
    "listen:\n"
    "- { address: '127.0.0.1:8080', accept: reuseport_plain }\n"
    "- { address: '[::1]:8080', accept: shared, proxy_protocol: yes }\n"
    "- { address: 'unix:/tmp/x.sock' }\n"
    "admin: { address: 127.0.0.1:9180 }\n"
    "event_loop: { delay_warning: 20ms, stall_threshold: 30ms,\n"
    "  kill_after: 5m }\n"
    "redis: { url: 'redis://u:p%40@r:1/2', spawn: no }\n"
    "services:\n"
    "- name: s\n"
    "  endpoints: [ 'n.example:1', '[::1]:2', 'unix:/s', 10.0.0.1:3 ]\n"
    "  source: [ 127.0.0.7, '::1' ]\n"
    "  policy: least_conn\n"
    "  resolve: 250ms\n"
    "  retries: 0\n"
    "  retry_on: [timeout, 503]\n"
    "  send_proxy: v2\n"
    "  pool: { connections: 1, queue: 0, queue_timeout: 1ms, idle: 24h,\n    "
    "max_age: 0, max_requests: 9 }\n"
    "  timeouts: { connect: 1s, send: 2s, read: 3s, tunnel: 2h }\n"
    "  health: { path: /h, interval: 1s, timeout: 2s, rise: 4, fall: 5 }\n"
    "  breaker: { failures: 60, window: 1s, open_for: 2s }\n"
    "routes:\n"
    "- { path: /a, service: s, rewrite: / }\n"
    "- { path: /b, handler: cpu_bound }\n"
    "- path: /c\n"
    "  respond: { status: 201, json: '{\"r\":\"{{random}}\",\"c\":\"$5\"}',\n"
    "    delay: 20ms, fail_percent: 7 }\n";

static void
test_full_process(void **state)
{
	struct config *c = fixture_load(full);

	(void)state;
	assert_string_equal(c->instance, "east-1");
	assert_string_equal(c->cluster, "demo");
	assert_int_equal(c->workers, 4);
	assert_string_equal(c->user, "nobody");
	assert_string_equal(c->state_dir, "/tmp/state");
	assert_int_equal(c->drain_timeout_us, 0);
	assert_int_equal(c->log.level, LOG_LEVEL_DEBUG);
	assert_int_equal(c->log.format, LOG_FORMAT_JSON);
	assert_string_equal(c->log.access, "/var/log/a");
	assert_int_equal(c->log.field_count, 3);
	assert_string_equal(c->log.fields[0].text, "user-agent");
	assert_string_equal(c->log.fields[0].name, "user-agent");
	assert_false(c->log.fields[0].is_of_response);
	assert_string_equal(c->log.fields[1].text, "response:x-cache");
	assert_string_equal(c->log.fields[1].name, "x-cache");
	assert_true(c->log.fields[1].is_of_response);
	assert_false(c->log.fields[2].is_of_response);
	assert_int_equal(c->client.header_bytes, 8192);
	assert_int_equal(c->client.target_bytes, 4096);
	assert_int_equal(c->client.body_rate, 1024);
	assert_int_equal(c->client.body_bytes, 1 << 30);
	assert_int_equal(c->client.connections, 5);
	assert_int_equal(c->client.send_timeout_us, 3 * SECOND);
	assert_int_equal(c->client.keep_alive_us, 3600 * SECOND);
	assert_int_equal(c->client.max_age_us, 7200 * SECOND);
	assert_int_equal(c->client.max_requests, 7);
	assert_int_equal(c->client.path.dot_segments, PATH_DOTS_REFUSE);
	assert_int_equal(c->client.path.empty_segments, PATH_EMPTY_KEEP);
	assert_int_equal(c->client.path.escapes, PATH_ESCAPES_REFUSE);
	assert_int_equal(c->client.path.encoded_slash, PATH_SLASH_REFUSE);
	assert_int_equal(c->client.path.backslash, PATH_SLASH_REFUSE);
	assert_int_equal(c->client.trusted_count, 4);
	assert_int_equal(c->client.trusted[0].bits, 8);
	assert_int_equal(c->client.trusted[1].first.family, AF_INET6);
	assert_int_equal(c->client.trusted[2].bits, 32);
	assert_int_equal(c->client.trusted[3].first.family, AF_UNIX);
	assert_int_equal(c->listen_count, 3);
	assert_int_equal(c->listen[0].accept, CONFIG_ACCEPT_REUSEPORT_PLAIN);
	assert_int_equal(c->listen[1].addr.sa.sa_family, AF_INET6);
	assert_false(c->listen[0].proxy_protocol);
	assert_true(c->listen[1].proxy_protocol);
	assert_int_equal(c->listen[2].addr.sa.sa_family, AF_UNIX);
	assert_int_equal(c->listen[2].accept, CONFIG_ACCEPT_SHARED);
	assert_true(c->admin.enabled);
	assert_int_equal(c->admin.addr.in.sin_port, htons(9180));
	assert_int_equal(c->event_loop.kill_after_us, 300 * SECOND);
	assert_true(c->redis.enabled);
	assert_false(c->redis.spawn);
	assert_string_equal(c->redis.url.password, "p@");
	assert_int_equal(c->redis.url.db, 2);
	config_load_free(c);
}

static void
test_full_services(void **state)
{
	struct config *c = fixture_load(full);
	const struct config_service *s = &c->services[0];
	const struct config_route *r = c->routes;

	(void)state;
	assert_int_equal(s->endpoint_count, 4);
	assert_true(s->endpoints[0].is_name);
	assert_string_equal(s->endpoints[0].name.host, "n.example");
	assert_false(s->endpoints[1].is_name);
	assert_int_equal(s->endpoints[2].addr.sa.sa_family, AF_UNIX);
	assert_int_equal(s->endpoints[3].addr.in.sin_port, htons(3));
	assert_int_equal(s->policy, CONFIG_POLICY_LEAST_CONN);
	assert_int_equal(s->resolve_us, SECOND / 4);
	assert_int_equal(s->source_count, 2);
	assert_string_equal(s->sources[0].text, "127.0.0.7");
	assert_int_equal(s->sources[1].addr.sa.sa_family, AF_INET6);
	assert_int_equal(s->retries, 0);
	assert_int_equal(
	    s->retry_on, 1U << CONFIG_RETRY_TIMEOUT | 1U << CONFIG_RETRY_503);
	assert_int_equal(s->send_proxy, CONFIG_SEND_PROXY_V2);
	assert_int_equal(s->pool.queue, 0);
	assert_int_equal(s->pool.idle_us, 24 * 3600 * SECOND);
	assert_int_equal(s->pool.max_age_us, 0);
	assert_int_equal(s->pool.max_requests, 9);
	assert_int_equal(s->timeouts.read_us, 3 * SECOND);
	assert_int_equal(s->timeouts.tunnel_us, 7200 * SECOND);
	assert_int_equal(s->health.fall, 5);
	assert_int_equal(s->breaker.failures, 60);
	assert_int_equal(c->route_count, 3);
	assert_int_equal(r[0].service, 0);
	assert_string_equal(r[0].rewrite, "/");
	assert_int_equal(r[0].handler, CONFIG_HANDLER_NONE);
	assert_int_equal(r[1].service, -1);
	assert_int_equal(r[1].handler, CONFIG_HANDLER_CPU_BOUND);
	assert_true(r[2].has_respond);
	assert_int_equal(r[2].respond.status, 201);
	assert_string_equal(
	    r[2].respond.json, "{\"r\":\"{{random}}\",\"c\":\"$5\"}");
	assert_int_equal(r[2].respond.delay_us, SECOND / 50);
	assert_int_equal(r[2].respond.fail_percent, 7);
	config_load_free(c);
}

/* A shorter header limit shortens the target limit, too. */
static void
test_target_fits_the_head(void **state)
{
	struct config *c =
	    fixture_load(LISTEN "client: { header: 1k, body_rate: 0 }\n");

	(void)state;
	assert_int_equal(c->client.target_bytes, 1024);
	assert_int_equal(c->client.body_rate, 0);
	config_load_free(c);
}

static void
test_weights(void **state)
{
	struct config *c;
	const struct config_endpoint *e;

	(void)state;
	setenv("T_WEIGHT", "7", 1);
	setenv("T_ENDPOINT", "i:1 weight=9", 1);
	c = fixture_load(LISTEN
	    "services:\n- name: a\n  endpoints:\n"
	    "  - 'n.example:1 weight=3'\n  - '[::1]:2   weight=0 '\n"
	    "  - 'unix:/s weight=100'\n  - 10.0.0.1:3 weight=${T_WEIGHT}\n"
	    "  - ${T_ENDPOINT}\n  - j:1 ${T_UNSET}\n");
	e = c->services[0].endpoints;
	assert_string_equal(e[0].text, "n.example:1");
	assert_string_equal(e[0].name.host, "n.example");
	assert_int_equal(e[0].weight, 3);
	assert_string_equal(e[1].text, "[::1]:2");
	assert_false(e[1].is_name);
	assert_int_equal(e[1].weight, 0);
	assert_string_equal(e[2].text, "unix:/s");
	assert_int_equal(e[2].weight, 100);
	assert_int_equal(e[3].weight, 7);
	assert_string_equal(e[4].text, "i:1");
	assert_int_equal(e[4].weight, 9);
	assert_string_equal(e[5].text, "j:1");
	assert_int_equal(e[5].weight, 1);
	config_load_free(c);
}

static void
test_policies(void **state)
{
	static const struct {
		const char *text;
		enum config_policy policy;
		enum config_hash_on on;
		const char *name; /* NULL: none */
	} cases[] = {
	    {"round_robin", CONFIG_POLICY_ROUND_ROBIN, 0, NULL},
	    {"least_conn", CONFIG_POLICY_LEAST_CONN, 0, NULL},
	    {"random_two", CONFIG_POLICY_RANDOM_TWO, 0, NULL},
	    {"ip_hash", CONFIG_POLICY_IP_HASH, 0, NULL},
	    {"consistent_hash", CONFIG_POLICY_CONSISTENT_HASH, 0, NULL},
	    {"consistent_hash\n  hash: path", CONFIG_POLICY_CONSISTENT_HASH,
		CONFIG_HASH_PATH, NULL},
	    {"consistent_hash\n  hash: header X-Tenant",
		CONFIG_POLICY_CONSISTENT_HASH, CONFIG_HASH_HEADER, "x-tenant"},
	    {"consistent_hash\n  hash: cookie Session",
		CONFIG_POLICY_CONSISTENT_HASH, CONFIG_HASH_COOKIE, "Session"},
	    {"consistent_hash\n  hash: ' query  ${T_NAME} '",
		CONFIG_POLICY_CONSISTENT_HASH, CONFIG_HASH_QUERY, "User"},
	};
	char text[200];

	(void)state;
	setenv("T_NAME", "User", 1);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct config_service *s;
		struct config *c;

		snprintf(text, sizeof(text), "%s  policy: %s\n", SERVICE,
		    cases[i].text);
		c = fixture_load(text);
		s = &c->services[0];
		assert_int_equal(s->policy, cases[i].policy);
		assert_int_equal(s->hash.on, cases[i].on);
		if (cases[i].name == NULL)
			assert_null(s->hash.name);
		else
			assert_string_equal(s->hash.name, cases[i].name);
		config_load_free(c);
	}
	assert_string_equal(config_names_policy[CONFIG_POLICY_CONSISTENT_HASH],
	    "consistent_hash");
	assert_string_equal(config_names_hash[CONFIG_HASH_QUERY], "query");
}

static void
test_affinity(void **state)
{
	struct config *c;
	const struct config_service *s;

	(void)state;
	setenv("T_COOKIE", "Backend", 1);
	c = fixture_load(SERVICE
	    "  sticky: { cookie: ${T_COOKIE} }\n  slow_start: 30s\n"
	    "  eject: { failures: 0, for: 2m }\n"
	    "- { name: b, endpoints: ['h:1'], sticky: { cookie: ${T_UNSET} },\n"
	    "  slow_start: 0, eject: { failures: 1000 } }\n");
	s = c->services;
	assert_string_equal(s[0].sticky_cookie, "Backend");
	assert_int_equal(s[0].slow_start_us, 30 * SECOND);
	assert_int_equal(s[0].eject.failures, 0);
	assert_int_equal(s[0].eject.for_us, 120 * SECOND);
	assert_null(s[1].sticky_cookie);
	assert_int_equal(s[1].slow_start_us, 0);
	assert_int_equal(s[1].eject.failures, 1000);
	assert_int_equal(s[1].eject.for_us, SECOND);
	config_load_free(c);
}

static void
test_environment(void **state)
{
	struct config *c;

	(void)state;
	setenv("T_PORT", "8123", 1);
	setenv("T_COUNT", "3", 1);
	setenv("T_EMPTY", "", 1);
	unsetenv("T_UNSET");
	c = fixture_load("listen: [ { address: '*:${T_PORT}' } ]\n"
			 "workers: ${T_COUNT}\n"
			 "instance: ${T_UNSET:-}\n"
			 "cluster: ${T_EMPTY}\n"
			 "log: { level: ${T_UNSET:-warn}, access: off }\n"
			 "admin: { address: ${T_UNSET} }\n"
			 "redis: { url: ${T_EMPTY} }\n");
	assert_string_equal(c->listen[0].text, "*:8123");
	assert_int_equal(c->workers, 3);
	assert_true(strlen(c->instance) > 0);
	assert_string_equal(c->cluster, "drover");
	assert_int_equal(c->log.level, LOG_LEVEL_WARN);
	assert_null(c->log.access);
	assert_false(c->admin.enabled);
	assert_false(c->redis.enabled);
	config_load_free(c);
}

/* The content of a variable is a value, never YAML. */
static void
test_environment_is_no_yaml(void **state)
{
	char error[CONFIG_ERROR_MAX];
	struct config *c;

	(void)state;
	setenv("T_EVIL", "x\nuser: root\nworkers: 9", 1);
	c = fixture_try("listen: [{address: '*:1'}]\n"
			"routes:\n"
			"- path: /\n"
			"  respond: { json: \"[\\\"${T_QUOTES:-a}\\\"]\" }\n"
			"cluster: ${T_EVIL}\n",
	    error);
	assert_null(c);
	assert_string_equal(fixture_message(error),
	    "5: cluster: `x?user: root?workers: 9` is not a name; 1 to 63 of "
	    "A-Z a-z 0-9 . _ -");
}

static void
test_off_in_every_spelling(void **state)
{
	static const char *const spelled[] = {
	    "off", "\"off\"", "no", "false", "null", "~", "", "''"};
	char text[200];

	(void)state;
	for (size_t i = 0; i < sizeof(spelled) / sizeof(spelled[0]); i++) {
		struct config *c;

		snprintf(text, sizeof(text), "%slog:\n  access: %s\n", minimal,
		    spelled[i]);
		c = fixture_load(text);
		assert_null(c->log.access);
		config_load_free(c);
	}
}

/* Routes share a series when path and service are the same. */
static void
test_series(void **state)
{
	static const struct config_series want[] = {
	    {"", -1}, {"/a", 0}, {"/a", -1}, {"/a", 1}, {"/b", 0}};
	static const unsigned of_routes[] = {1, 2, 3, 1, 4, 2};
	struct config *c =
	    fixture_load("listen: [{ address: '*:1' }]\n"
			 "services:\n"
			 "- { name: s, endpoints: [\"127.0.0.1:2\"] }\n"
			 "- { name: t, endpoints: [\"127.0.0.1:2\"] }\n"
			 "routes:\n"
			 "- { path: /a, service: s }\n"
			 "- { path: /a, methods: [PUT], handler: count }\n"
			 "- { path: /a, methods: [POST], service: t }\n"
			 "- { path: /a, host: x.org, service: s }\n"
			 "- { path: /b, service: s }\n"
			 "- { path: /a, host: y.org, handler: health }\n");

	(void)state;
	assert_int_equal(c->series_count, 5);
	for (size_t i = 0; i < 5; i++) {
		assert_string_equal(c->series[i].path, want[i].path);
		assert_int_equal(c->series[i].service, want[i].service);
	}
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(c->routes[i].series, of_routes[i]);
	config_load_free(c);
}

static void
test_null_lists_are_empty(void **state)
{
	struct config *c = fixture_load(
	    "listen: [{ address: '*:1' }]\nservices:\nroutes: ~\nuser: null\n");

	(void)state;
	assert_int_equal(c->service_count, 0);
	assert_int_equal(c->route_count, 0);
	assert_null(c->user);
	config_load_free(c);
}

static void
test_spawn_needs_no_url(void **state)
{
	struct config *c = fixture_load(
	    "listen: [{ address: '*:1' }]\nredis: { spawn: true }\n");

	(void)state;
	assert_true(c->redis.enabled);
	assert_true(c->redis.spawn);
	config_load_free(c);
}

/* Runs in a child, since the host name changes. 0: success. */
static int
long_host_name(void)
{
	static const char host[] =
	    "a-host-name.of-as-many-letters-as-linux-allows.east.example.test";
	struct config *c;
	int differs;

	if (unshare(CLONE_NEWUTS) == -1 &&
	    unshare(CLONE_NEWUSER | CLONE_NEWUTS) == -1)
		return 77;
	if (sethostname(host, sizeof(host) - 1) == -1)
		return 77;
	c = fixture_load(minimal);
	differs = strlen(host) != 64 || strlen(c->instance) != 63 ||
		  strncmp(c->instance, host, 63) != 0;
	config_load_free(c);
	return differs;
}

static void
test_long_host_name(void **state)
{
	pid_t pid = fork();
	int status;

	(void)state;
	assert_int_not_equal(pid, -1);
	if (pid == 0)
		_exit(long_host_name());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip(); /* no permission to change the host name */
	assert_int_equal(status, 0);
}

/* Some editors begin every file so. */
static void
test_byte_order_mark(void **state)
{
	char error[CONFIG_ERROR_MAX];
	struct config *c =
	    fixture_try("\xef\xbb\xbf" LISTEN "user: a\n", error);

	(void)state;
	assert_string_equal(error, "");
	assert_string_equal(c->user, "a");
	config_load_free(c);
	c = fixture_try("\xef\xbb\xbf" LISTEN "users: a\n", error);
	assert_null(c);
	assert_non_null(strstr(error, ":2: users: unknown key"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_byte_order_mark),
	    cmocka_unit_test(test_defaults),
	    cmocka_unit_test(test_service_defaults),
	    cmocka_unit_test(test_full_process),
	    cmocka_unit_test(test_full_services),
	    cmocka_unit_test(test_target_fits_the_head),
	    cmocka_unit_test(test_weights),
	    cmocka_unit_test(test_policies),
	    cmocka_unit_test(test_affinity),
	    cmocka_unit_test(test_environment),
	    cmocka_unit_test(test_environment_is_no_yaml),
	    cmocka_unit_test(test_off_in_every_spelling),
	    cmocka_unit_test(test_series),
	    cmocka_unit_test(test_null_lists_are_empty),
	    cmocka_unit_test(test_spawn_needs_no_url),
	    cmocka_unit_test(test_long_host_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
