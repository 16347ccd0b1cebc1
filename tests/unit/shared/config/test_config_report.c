/* Goal: a report lists all faults of a file by line, without consequences of
 * other faults. Warnings do not refuse the file. */
#include "config_fixture.h"

#include "config_keys.h"
#include "config_guess.h"

/* The lines without the leading file name. */
static void
strip(char *lines)
{
	char *to = lines;

	for (const char *at = lines; *at != '\0';) {
		at = fixture_message(at);
		while (*at != '\0' && *at != '\n')
			*to++ = *at++;
		if (*at == '\n')
			*to++ = *at++;
	}
	*to = '\0';
}

static void
expect_faults(const char *text, const char *wanted)
{
	char error[CONFIG_ERROR_MAX];

	assert_null(fixture_try(text, error));
	strip(error);
	assert_string_equal(error, wanted);
}

static void
expect_warnings(const char *text, const char *wanted)
{
	struct config *c = fixture_load(text);

	assert_non_null(c->warnings);
	strip(c->warnings);
	assert_string_equal(c->warnings, wanted);
	config_load_free(c);
}

#define ROUTE "routes: [{ path: /, handler: health }]\n"

static void
test_all_faults(void **state)
{
	(void)state;
	expect_faults("cluster: a b\n"
		      "listen:\n"
		      "- address: '*:1'\n"
		      "- address: '*:1'\n"
		      "  accept: fair\n"
		      "client: { header: 2k, target: 3k, body: much }\n"
		      "services:\n"
		      "- name: a\n"
		      "  endpoints: ['h:1', 'h:1', h]\n"
		      "  hash: path\n"
		      "routes:\n"
		      "- path: a\n"
		      "- path: /\n"
		      "  service: b\n"
		      "colour: red\n",
	    "1: cluster: `a b` is not a name; 1 to 63 of A-Z a-z 0-9 . _ -\n"
	    "4: listen[1].address: `*:1` is listed twice\n"
	    "5: listen[1].accept: `fair` is not one of reuseport, "
	    "reuseport_plain, shared\n"
	    "6: client.body: `much` is not a size; write 512, 16k, 16m or 1g\n"
	    "6: client.target: `3k` is not from 256 to 2k\n"
	    "9: services[0].endpoints[1]: `h:1` is listed twice\n"
	    "9: services[0].endpoints[2]: `h` is not host:port, [v6]:port or "
	    "unix:/path\n"
	    "10: services[0].hash: only goes with `policy: consistent_hash`\n"
	    "12: routes[0].path: `a` is not a path, such as /api/users (at "
	    "most 255 characters, no spaces, ? or #)\n"
	    "14: routes[1].service: there is no service `b`; known: a\n"
	    "15: colour: unknown key; known here: instance, cluster, workers, "
	    "user, state_dir, drain_timeout, log, client, listen, admin, "
	    "event_loop, redis, services, routes");
}

/* Consequences of a fault are not listed. */
static void
test_no_consequences(void **state)
{
	(void)state;
	/* The service exists, with a faulty name. */
	expect_faults(LISTEN "services:\n"
			     "- name: a b\n"
			     "  endpoints: ['h:1']\n"
			     "routes: [{ path: /, service: b }]\n",
	    "3: services[0].name: `a b` is not a name; 1 to 63 of A-Z a-z 0-9 "
	    ". _ -");
	expect_faults(LISTEN "services: a\n"
			     "routes: [{ path: /, service: a }]\n",
	    "2: services: must be a list, [a, b] or `- ` lines, but is a "
	    "single value");
	/* A faulty key or value still tells the target. */
	expect_faults(LISTEN "routes: [{ path: /, handler: x }]\n",
	    "2: routes[0].handler: `x` is not one of metrics, count, "
	    "cpu_bound, health, welcome");
	expect_faults(LISTEN "routes: [{ path: /, servce: x, rewrite: /a }]\n",
	    "2: routes[0].servce: unknown key; did you mean `service`? known "
	    "here: path, exact, host, methods, headers, query, service, "
	    "rewrite, upgrade_body, handler, respond");
	expect_faults("listen: [{ adress: '*:1' }]\n",
	    "1: listen[0].adress: unknown key; did you mean `address`? known "
	    "here: address, accept, proxy_protocol");
	/* The faulty conditions may still differ. */
	expect_faults(LISTEN "routes:\n"
			     "- { path: /, handler: count }\n"
			     "- { path: /, handler: count, host: '*' }\n",
	    "4: routes[1].host: `*` is not a host; write api.example.org, "
	    "*.example.org or [::1], without a port");
	expect_faults(LISTEN "client: { header: 99k, target: 16k }\n",
	    "2: client.header: `99k` is not from 1k to 16k");
	expect_faults(LISTEN "event_loop: { stall_threshold: 2, kill_after: "
			     "1ms }\n",
	    "2: event_loop.stall_threshold: `2` is not a duration; write "
	    "250ms, 10s, 5m or 1h");
	expect_faults(SERVICE "  policy: best\n  hash: path\n",
	    "5: services[0].policy: `best` is not one of round_robin, "
	    "least_conn, random_two, ip_hash, consistent_hash");
	expect_faults(LISTEN "redis: { url: http://x }\n",
	    "2: redis.url: is not a Redis URL; write "
	    "redis://[[user]:password@]host[:port][/db] or "
	    "unix:///path[?db=N], with %40 for an @");
	expect_faults("listen: [{ address: nowhere }, { address: nowhere }]\n",
	    "1: listen[0].address: `nowhere` is not an address to listen on; "
	    "write *:3000, 127.0.0.1:3000, [::]:3000 or unix:/path\n"
	    "1: listen[1].address: `nowhere` is not an address to listen on; "
	    "write *:3000, 127.0.0.1:3000, [::]:3000 or unix:/path");
}

/* Twenty faults, then the count of the rest. */
static void
test_cap(void **state)
{
	char text[4096] = LISTEN, error[CONFIG_ERROR_MAX], last[64];
	size_t len = strlen(text);

	(void)state;
	for (int i = 1; i <= 20; i++)
		len += (size_t)sprintf(text + len, "zzzzzzzz%d: 1\n", i);
	assert_null(fixture_try(text, error));
	strip(error);
	assert_memory_equal(error, "2: zzzzzzzz1: unknown", 21);
	assert_non_null(strstr(error, "\n21: zzzzzzzz20: unknown key"));
	assert_null(strstr(error, " more"));

	strcpy(text + len, "user: [a]\nworkers: 0\ncluster: a b\n");
	assert_null(fixture_try(text, error));
	strip(error);
	snprintf(last, sizeof(last), "%s", strrchr(error, '\n'));
	assert_string_equal(last, "\n and 3 more");
	assert_null(strstr(error, "workers: `0`"));
}

static void
test_warnings(void **state)
{
	char error[CONFIG_ERROR_MAX];
	struct config *c;

	(void)state;
	unsetenv("T_UNSET");
	unsetenv("T_OTHER");
	setenv("T_EMPTY", "", 1);
	setenv("T_SET", "a", 1);
	expect_warnings(LISTEN "instance: ${T_UNSET}\n" ROUTE,
	    "2: warning: instance: ${T_UNSET} is not set and has no default; "
	    "write ${NAME:-} if that is meant");
	expect_warnings(LISTEN ROUTE
	    "log: { access: '/${T_UNSET}x${T_SET}${T_OTHER}' }\n"
	    "cluster: ${T_OTHER:-${T_UNSET}}\n",
	    "3: warning: log.access: ${T_UNSET}, ${T_OTHER} is not set and has "
	    "no default; write ${NAME:-} if that is meant\n"
	    "4: warning: cluster: ${T_UNSET} is not set and has no default; "
	    "write ${NAME:-} if that is meant");
	c = fixture_load(LISTEN ROUTE "instance: ${T_UNSET:-}${T_UNSET-}\n"
				      "cluster: ${T_EMPTY}b\n"
				      "log: { access: '/$${T_UNSET}' }\n");
	assert_null(c->warnings);
	config_load_free(c);

	expect_warnings(LISTEN "services: []\nroutes:\n",
	    "3: warning: routes: there are none, so every request gets a 404");
	expect_warnings(LISTEN,
	    "1: warning: routes: there are none, so every request gets a 404");

	expect_warnings(LISTEN "routes:\n- {path: /a//../%c3%a9, handler: "
			       "count}\n- {path: /b, handler: count}\n",
	    "3: warning: routes[0].path: `/a//../%c3%a9` is taken as "
	    "`/%C3%A9`");

	/* Warnings may explain a fault, hence follow the faults. */
	assert_null(fixture_try(LISTEN "cluster: ${T_UNSET}\n"
				       "state_dir: x\n",
	    error));
	strip(error);
	assert_string_equal(error,
	    "3: state_dir: `x` is not an absolute path, such as /run/drover\n"
	    "2: warning: cluster: ${T_UNSET} is not set and has no default; "
	    "write ${NAME:-} if that is meant");
}

static void
test_guesses(void **state)
{
	static const struct config_key keys[] = {{.key = "connections"},
	    {.key = "queue"}, {.key = "idle"}, {.key = "for"}, {.key = NULL}};
	static const struct {
		const char *name;
		const char *guess; /* NULL: none */
	} cases[] = {
	    {"queu", "queue"},
	    {"queuee", "queue"},
	    {"qeueu", NULL},
	    {"qeuue", "queue"},
	    {"kueue", "queue"},
	    {"ideal", NULL},
	    {"idel", "idle"},
	    {"connection", "connections"},
	    {"conections", "connections"},
	    {"conectoins", "connections"},
	    {"max_conns", NULL},
	    {"fro", "for"},
	    {"of", NULL},
	    {"", NULL},
	    {"queue", NULL}, /* a name followed by a NUL, for example */
	    {"connectionsconnectionsconnections", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *guess = config_guess(keys, cases[i].name);

		if (cases[i].guess == NULL)
			assert_null(guess);
		else
			assert_string_equal(guess, cases[i].guess);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_all_faults),
	    cmocka_unit_test(test_no_consequences),
	    cmocka_unit_test(test_cap),
	    cmocka_unit_test(test_warnings),
	    cmocka_unit_test(test_guesses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
