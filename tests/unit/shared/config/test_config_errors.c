/* Goal: each mistake gives a line with file, line, key, the fault and the right
 * form. Files with several mistakes are in test_config_report.c. */
#include "config_fixture.h"

#define HEALTH SERVICE "  health: { path: /h, "

#include <sys/stat.h>

#include <fcntl.h>

static void
test_yaml(void **state)
{
	static const struct mistake mistakes[] = {
	    {"", "1: the file is empty; at least `listen` is needed"},
	    {"# only this\n", "1: the file is empty"},
	    {"- a\n", "1: must be `key: value` lines"},
	    {"hello\n", "1: must be `key: value` lines"},
	    {LISTEN "log: { level: info\nuser: x\n", "3: not valid YAML: "},
	    {LISTEN "\tuser: x\n",
		"2: not valid YAML: a tab in the indentation; "
		"indent with spaces"},
	    {LISTEN "log:\n  level: info\n\taccess: off\n",
		"4: not valid YAML: a tab in the indentation"},
	    {LISTEN "services:\n  - name: a\n  \tendpoints: ['h:1']\n",
		"4: not valid YAML: a tab in the indentation"},
	    {"listen:\n-\taddress: '*:1'\n", "2: not valid YAML: a tab in the"},
	    {LISTEN "user: @x\n\tcluster: y\n",
		"2: not valid YAML: found char"},
	    {LISTEN "\xef\xbb\xbfuser: x\n", "2: not valid YAML: a byte order "
					     "mark inside the file; remove it"},
	    {"\xff\xfel\n", "1: not valid YAML: a byte order mark of UTF-16; "
			    "save the file as UTF-8"},
	    {"\xfe\xff", "1: not valid YAML: a byte order mark of UTF-16"},
	    {LISTEN "a: 'b\n", "3: not valid YAML: "},
	    {LISTEN "user: \x01\n", "2: not valid YAML: control characters"},
	    {LISTEN "user: \xff\n", "2: not valid YAML: invalid leading UTF-8"},
	    {LISTEN "---\nuser: x\n", "2: a second document"},
	    {"a: &x { b: 1 }\nc: *x\n", "1: YAML anchors (&name)"},
	    {"a: &x [ *x ]\n", "1: YAML anchors (&name)"},
	    {LISTEN "user: *nowhere\n", "2: YAML anchors (&name) and aliases"},
	    {LISTEN "user: &a b\n", "2: YAML anchors (&name) and aliases"},
	    {"a:\n [[[[[[[[[[[[[[[[[[[[", "2: nested too deeply"},
	    {LISTEN "user: \"a\\0b\"\n", "2: user: has a NUL character"},
	};

	(void)state;
	CHECK_ALL(mistakes);
}

#define LEADS_TO(endpoint)                                                     \
	"services:\n- name: a\n  endpoints: ['h:9', '" endpoint " weight=2']"  \
	"\n"

/* Each request would go round. */
static void
test_own_listeners(void **state)
{
	static const struct mistake mistakes[] = {
	    {"listen: [{ address: '127.0.0.1:3' }]\n" LEADS_TO("127.0.0.1:3"),
		"4: services[0].endpoints[1]: `127.0.0.1:3` is this gateway's "
		"own listener, line 1"},
	    {"listen:\n- address: '*:2'\n- address: '*:3'\n" LEADS_TO(
		 "127.1.2.3:3"),
		"6: services[0].endpoints[1]: `127.1.2.3:3` is this gateway's "
		"own listener, line 3"},
	    {"listen: [{ address: '*:3' }]\n" LEADS_TO("localhost:3"),
		"4: services[0].endpoints[1]: `"},
	    {"listen: [{ address: '*:3' }]\n" LEADS_TO("0.0.0.0:3"),
		"4: services[0].endpoints[1]: `"},
	    {"listen: [{ address: '*:3' }]\n" LEADS_TO("[::1]:3"),
		"4: services[0].endpoints[1]: `"},
	    {"listen: [{ address: '*:3' }]\n" LEADS_TO("[::]:3"),
		"4: services[0].endpoints[1]: `"},
	    {"listen: [{ address: '127.0.0.1:3' }]\n" LEADS_TO("LocalHost:3"),
		"4: services[0].endpoints[1]: `"},
	    {"listen: [{ address: '[::]:3' }]\n" LEADS_TO("[::1]:3"),
		"4: services[0].endpoints[1]: `"},
	    {"listen: [{ address: '[::1]:3' }]\n" LEADS_TO("[::]:3"),
		"4: services[0].endpoints[1]: `"},
	    {"listen: [{ address: '[2001:db8::1]:3' }]\n" LEADS_TO(
		 "[2001:DB8::1]:3"),
		"4: services[0].endpoints[1]: `"},
	    {"listen: [{ address: 'unix:/a' }]\n" LEADS_TO("unix:/a"),
		"4: services[0].endpoints[1]: `"},
	};
	static const char *const others[] = {
	    "listen: [{ address: '127.0.0.1:3' }]\n" LEADS_TO("127.0.0.1:4"),
	    "listen: [{ address: '127.0.0.1:3' }]\n" LEADS_TO("127.0.0.2:3"),
	    "listen: [{ address: '127.0.0.1:3' }]\n" LEADS_TO("[::1]:3"),
	    "listen: [{ address: '192.0.2.1:3' }]\n" LEADS_TO("localhost:3"),
	    "listen: [{ address: '*:3' }]\n" LEADS_TO("192.0.2.1:3"),
	    "listen: [{ address: '*:3' }]\n" LEADS_TO("[2001:db8::1]:3"),
	    "listen: [{ address: '*:3' }]\n" LEADS_TO("[::1]:4"),
	    "listen: [{ address: '0.0.0.0:3' }]\n" LEADS_TO("[::1]:3"),
	    "listen: [{ address: '[::]:3' }]\n" LEADS_TO("127.0.0.1:3"),
	    "listen: [{ address: '*:3' }]\n" LEADS_TO(
		"localhost.example.org:3"),
	    "listen: [{ address: 'unix:/a' }]\n" LEADS_TO("unix:/b"),
	};
	char error[CONFIG_ERROR_MAX];

	(void)state;
	CHECK_ALL(mistakes);
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		config_load_free(fixture_try(others[i], error));
}

static void
test_keys(void **state)
{
	static const struct mistake mistakes[] = {
	    {LISTEN "worker: 3\n", "2: worker: unknown key; did you mean "
				   "`workers`? known here: "
				   "instance, cluster, workers, user, "},
	    {LISTEN "${USER}: 3\n", "2: ${USER}: unknown key; "},
	    {LISTEN "[a]: 3\n", "2: a key must be plain text"},
	    {LISTEN "\"user\\0x\": a\n", "2: user: unknown key"},
	    {LISTEN "log:\n  levle: info\n",
		"3: log.levle: unknown key; did you mean `level`? known here: "
		"level, format, access"},
	    {SERVICE "- name: b\n  endpoints: ['h:2']\n  timeouts:\n"
		     "    conect: 1s\n",
		"8: services[1].timeouts.conect: unknown key; did you mean "
		"`connect`? known here: "
		"connect, send, read, tunnel"},
	    {SERVICE "  weight: 2\n", "5: services[0].weight: unknown key"},
	    {LISTEN "user: a\ncluster: b\nuser: c\n",
		"4: user: is given twice, first on line 2"},
	    {LISTEN LISTEN, "2: listen: is given twice, first on line 1"},
	    {"user: a\n", "1: listen: is missing; it is required"},
	    {"listen: [ {} ]\n", "1: listen[0].address: is missing"},
	    {"listen:\n- address:\n",
		"2: listen[0].address: is empty; write *:3000"},
	    {LISTEN "services:\n- endpoints: ['h:1']\n",
		"3: services[0].name: is missing"},
	    {LISTEN "services:\n- name: a\n",
		"3: services[0].endpoints: is missing"},
	    {LISTEN "routes:\n- handler: count\n",
		"3: routes[0].path: is missing"},
	    {LISTEN "admin: {}\n", "2: admin.address: is missing"},
	    {SERVICE "  health: {}\n",
		"5: services[0].health.path: is missing"},
	    {LISTEN "redis: {}\n", "2: redis.url: is missing; give it, or "},
	    {LISTEN "redis:\n  spawn: yes\n  url: redis://h\n",
		"4: redis.url: is given, and so is `spawn: true`; keep one"},
	};

	(void)state;
	CHECK_ALL(mistakes);
}

static void
test_types(void **state)
{
	static const struct mistake mistakes[] = {
	    {"listen: '*:1'\n", "1: listen: must be a list, [a, b] or `- ` "
				"lines, but is a single value"},
	    {"listen: { address: '*:1' }\n",
		"1: listen: must be a list, [a, b] or `- ` lines, but is "
		"`key: value` pairs"},
	    {"listen:\n", "1: listen: must be a list, [a, b] or `- ` lines, "
			  "but is empty"},
	    {"listen: []\n",
		"1: listen: is empty; at least one entry is required"},
	    {"listen: ['*:1']\n", "1: listen[0]: must be `key: value` pairs, "
				  "but is a single value"},
	    {LISTEN "log: info\n", "2: log: must be `key: value` pairs, but "
				   "is a single value"},
	    {LISTEN "log:\n", "2: log: must be `key: value` pairs, but is "
			      "empty"},
	    {LISTEN "user:\n- a\n",
		"2: user: must be a single value, but is a list"},
	    {LISTEN "user: { a: b }\n",
		"2: user: must be a single value, but is `key: value` pairs"},
	    {LISTEN "services:\n- name: a\n  endpoints:\n"
		    "  - { address: 'h:1', weight: 3 }\n",
		"5: services[0].endpoints[0]: must be a single value, but is "
		"`key: value` pairs"},
	    {LISTEN "services:\n- name: a\n  endpoints: []\n",
		"4: services[0].endpoints: is empty; at least one"},
	};

	(void)state;
	CHECK_ALL(mistakes);
}

static void
test_values(void **state)
{
	static const struct mistake mistakes[] = {
	    {LISTEN "workers: many\n",
		"2: workers: `many` is not a whole number from 1 to 128"},
	    {LISTEN "workers: 0\n", "2: workers: `0` is not a whole number"},
	    {LISTEN "workers: 129\n", "2: workers: `129` is not a whole"},
	    {LISTEN "workers: -1\n", "2: workers: `-1` is not a whole"},
	    {LISTEN "workers: 99999999999999999999\n", "2: workers: `999"},
	    {LISTEN "cluster: a/b\n", "2: cluster: `a/b` is not a name; 1 to"},
	    {LISTEN "drain_timeout: 10\n",
		"2: drain_timeout: `10` is not a duration; write 250ms, 10s, "
		"5m or 1h"},
	    {LISTEN "drain_timeout: 10 s\n", "2: drain_timeout: `10 s` is not"},
	    {LISTEN "drain_timeout: 25h\n",
		"2: drain_timeout: `25h` is not from 1ms to 24h, or 0"},
	    {LISTEN "drain_timeout: 999999999999h\n",
		"2: drain_timeout: `999999999999h` is not from 1ms to 24h"},
	    {LISTEN "client: { keep_alive: 0 }\n",
		"2: client.keep_alive: `0` is not from 1ms to 24h"},
	    {"listen:\n- address: '*:1'\n  proxy_protocol: true\n",
		"3: listen[0].proxy_protocol: needs the senders of the header "
		"in `client.trusted_proxies`"},
	    {LISTEN "log: { fields: User-Agent }\n",
		"2: log.fields: must be a list, [a, b] or"},
	    {LISTEN "log:\n  fields: [Referer,\n    User Agent]\n",
		"4: log.fields[1]: `User Agent` is not a field's name, such as "
		"User-Agent or response:X-Cache (at most 63 characters)"},
	    {LISTEN "log: { fields: ['response:'] }\n",
		"2: log.fields[0]: `response:` is not a field's name"},
	    {LISTEN "log: { fields: ['request:x'] }\n",
		"2: log.fields[0]: `request:x` is not a field's name"},
	    {LISTEN "log: { fields: [x234567890123456789012345678901234567890"
		    "123456789012345678901234] }\n",
		"2: log.fields[0]: `x23456789012345678901234567890123456789012"
		"3456789012345678901234` is not a field's name"},
	    {LISTEN "log: { fields: [AUTHORIZATION] }\n",
		"2: log.fields[0]: `AUTHORIZATION` is a secret, and is never "
		"logged"},
	    {LISTEN "log: { fields: [Proxy-Authorization] }\n",
		"2: log.fields[0]: `Proxy-Authorization` is a secret"},
	    {LISTEN "log: { fields: [Cookie] }\n",
		"2: log.fields[0]: `Cookie` is a secret"},
	    {LISTEN "log: { fields: ['response:Set-Cookie'] }\n",
		"2: log.fields[0]: `response:Set-Cookie` is a secret"},
	    {LISTEN "log: { fields: [Referer, referer] }\n",
		"2: log.fields[1]: `referer` is listed twice"},
	    {LISTEN "log: { fields: [a, b, c, d, e, f, g, h, i, j, k, l, m,\n"
		    "  n, o, p, q] }\n",
		"2: log.fields: "},
	    {LISTEN "client: { trusted_proxies: 10.0.0.0/8 }\n",
		"2: client.trusted_proxies: must be a list, [a, b] or"},
	    {LISTEN "client:\n  trusted_proxies: [unix,\n    10.0.0.0/33]\n",
		"4: client.trusted_proxies[1]: `10.0.0.0/33` is not a network, "
		"an address or unix; write 10.0.0.0/8, fd00::/8, 192.0.2.7 or "
		"unix"},
	    {LISTEN "client: { trusted_proxies: [lb.example.org] }\n",
		"2: client.trusted_proxies[0]: `lb.example.org` is not a"},
	    {LISTEN "client: { trusted_proxies: [''] }\n",
		"2: client.trusted_proxies[0]: is empty; a value is"},
	    {LISTEN "client:\n  header: 17k\n",
		"3: client.header: `17k` is not from 1k to 16k"},
	    {LISTEN "client:\n  headers: 65k\n",
		"3: client.headers: `65k` is not from 1k to 64k"},
	    {LISTEN "client:\n  header: 8k\n  headers: 8k\n",
		"4: client.headers: is also given as `header`, its older name"},
	    {LISTEN "client:\n  headers: 2k\n  target: 2049\n",
		"4: client.target: `2049` is not from 256 to 2k"},
	    {SERVICE "  headers: 65k\n",
		"5: services[0].headers: `65k` is not from 1k to 64k"},
	    {SERVICE "  headers: 1023\n",
		"5: services[0].headers: `1023` is not from 1k to 64k"},
	    {LISTEN "client: { body: 16mb }\n",
		"2: client.body: `16mb` is not a size; write 512, 16k, 16m or"},
	    {LISTEN "client:\n  target: 255\n",
		"3: client.target: `255` is not from 256 to 16k"},
	    {LISTEN "client:\n  header: 2k\n  target: 2049\n",
		"4: client.target: `2049` is not from 256 to 2k"},
	    {LISTEN "client: { target: all }\n",
		"2: client.target: `all` is not a size; write 512, 16k"},
	    {LISTEN "client:\n  body_rate: 240/s\n",
		"3: client.body_rate: `240/s` is not a size; write 512"},
	    {LISTEN "client: { body_rate: 2g }\n",
		"2: client.body_rate: `2g` is not from 0 to 1g"},
	    {LISTEN "client: { body: 999999999999g }\n",
		"2: client.body: `999999999999g` is not from 0 to 1024g"},
	    {LISTEN "log: { level: loud }\n",
		"2: log.level: `loud` is not one of error, warn, info, debug"},
	    {LISTEN "log: { access: here }\n",
		"2: log.access: `here` is not off, stdout or an absolute path"},
	    {LISTEN "state_dir: run\n",
		"2: state_dir: `run` is not an absolute path, such as "
		"/run/drover"},
	    {LISTEN "event_loop: { kill_after: 10ms }\n",
		"2: event_loop.kill_after: is shorter than stall_threshold"},
	    {LISTEN "redis: { spawn: maybe }\n",
		"2: redis.spawn: `maybe` is not one of false, no, off, true,"},
	    {LISTEN "redis: { url: 'http://:geheim@x' }\n",
		"2: redis.url: is not a Redis URL; write redis://[[user]:pass"},
	    {LISTEN "redis: { url: 'rediss://x' }\n",
		"2: redis.url: TLS (rediss://) is not supported"},
	    {LISTEN "user: ${T_UNSET:?give one}\n",
		"2: user: ${T_UNSET:?give one} needs that environment"},
	    {LISTEN "user: ${T UNSET}\n", "2: user: ${T UNSET} is no refer"},
	    {LISTEN "user: ${T_UNSET\n", "2: user: ${T_UNSET has no closing"},
	};

	(void)state;
	CHECK_ALL(mistakes);
}

static void
test_addresses(void **state)
{
	static const struct mistake mistakes[] = {
	    {"listen:\n- address: '*:80'\n- address: localhost:80\n",
		"3: listen[1].address: `localhost:80` is not an address to "
		"listen on; write *:3000, 127.0.0.1:3000, [::]:3000 or "
		"unix:/path"},
	    {"listen: [{address: '3000'}]\n", "1: listen[0].address: `3000`"},
	    {"listen: [{address: '*:65536'}]\n", "1: listen[0].address: `*:6"},
	    {"listen: [{address: '*:0'}]\n",
		"1: listen[0].address: `*:0` needs a port from 1 to 65535"},
	    {"listen: [{address: '*:1'}, {address: '0.0.0.0:1'}]\n",
		"1: listen[1].address: `0.0.0.0:1` is listed twice"},
	    {"listen: [{address: '*:1'}, {address: '[::]:1'}]\n",
		"1: listen[1].address: `[::]:1` overlaps with `*:1`"},
	    {"listen: [{address: '[::1]:1'}, {address: '*:1'}]\n",
		"1: listen[1].address: `*:1` overlaps with `[::1]:1`"},
	    {"listen: [{address: '0.0.0.0:1'}, {address: '127.0.0.1:1'}]\n",
		"1: listen[1].address: `127.0.0.1:1` overlaps with "
		"`0.0.0.0:1`"},
	    {"listen: [{address: '*:1'}]\nadmin: {address: '127.0.0.1:1'}\n",
		"2: admin.address: `127.0.0.1:1` overlaps with `*:1`"},
	    {"listen: [{address: '*:1', accept: fair}]\n",
		"1: listen[0].accept: `fair` is not one of reuseport, "
		"reuseport_plain, shared"},
	    {"listen: [{address: 'unix:/a', accept: reuseport}]\n",
		"1: listen[0].accept: a unix socket can only be `shared`"},
	    {LISTEN "admin:\n  address: nowhere\n",
		"3: admin.address: `nowhere` is not an address to listen on"},
	    {LISTEN "admin: { address: '*:1' }\n",
		"2: admin.address: `*:1` is already in `listen`"},
	    {LISTEN "services:\n- name: a\n  endpoints:\n  - h:1\n  - h\n",
		"6: services[0].endpoints[1]: `h` is not host:port, [v6]:port "
		"or unix:/path"},
	    {LISTEN "services: [{name: a, endpoints: ['*:1']}]\n",
		"2: services[0].endpoints[0]: `*:1` is not host:port"},
	    {LISTEN "services: [{name: a, endpoints: ['h:0']}]\n",
		"2: services[0].endpoints[0]: `h:0` is not host:port"},
	    {LISTEN "services: [{name: a, endpoints: ['h:1', 'h:1']}]\n",
		"2: services[0].endpoints[1]: `h:1` is listed twice"},
	    {LISTEN "services: [{name: a, endpoints: ['']}]\n",
		"2: services[0].endpoints[0]: is empty; a value is required"},
	};

	(void)state;
	CHECK_ALL(mistakes);
}

static void
test_services(void **state)
{
	static const struct mistake mistakes[] = {
	    {SERVICE "- name: a\n  endpoints: ['h:2']\n",
		"5: services[1].name: `a` is also the name of services[0]"},
	    {LISTEN "services: [{name: 'a b', endpoints: ['h:1']}]\n",
		"2: services[0].name: `a b` is not a name"},
	    {SERVICE "  policy: random\n",
		"5: services[0].policy: `random` is not one of round_robin, "
		"least_conn, random_two, ip_hash, consistent_hash"},
	    {SERVICE "  retries: 11\n", "5: services[0].retries: `11` is not"},
	    {SERVICE "  source: [127.0.0.1, 127.0.0.1:80]\n",
		"5: services[0].source[1]: `127.0.0.1:80` is not an address to "
		"connect from, such as 10.0.0.7 or fd00::7, without a port"},
	    {SERVICE "  source: [0.0.0.0]\n",
		"5: services[0].source[0]: `0.0.0.0` is not an address"},
	    {SERVICE "  source: [localhost]\n",
		"5: services[0].source[0]: `localhost` is not an address"},
	    {SERVICE "  source: [127.0.0.1, 127.0.0.1]\n",
		"5: services[0].source[1]: `127.0.0.1` is listed twice"},
	    {SERVICE "  source: [127.0.0.1]\n"
		     "- name: b\n  endpoints: ['h:1', '[::1]:80']\n"
		     "  source: [127.0.0.1]\n",
		"8: services[1].source: has no address for the endpoint "
		"`[::1]:80`"},
	    {SERVICE "  retry_on: [connect, 500]\n",
		"5: services[0].retry_on[1]: `500` is not"},
	    {SERVICE "  retry_on: [reset, reset]\n",
		"5: services[0].retry_on[1]: `reset` is listed twice"},
	    {SERVICE "  retry_on: reset\n",
		"5: services[0].retry_on: must be a list"},
	    {SERVICE "  timeouts: { connect: never }\n",
		"5: services[0].timeouts.connect: `never` is not a duration"},
	    {SERVICE "  pool: { total: 0 }\n",
		"5: services[0].pool.total: `0` is not a whole number"},
	    {SERVICE "  pool: { connections: 0 }\n",
		"5: services[0].pool.connections: `0` is not a whole number"},
	    {SERVICE "  breaker: { failures: 61 }\n",
		"5: services[0].breaker.failures: `61` is not a whole number "
		"from 0 to 60"},
	    {SERVICE "  health: { path: health }\n",
		"5: services[0].health.path: `health` is not a path"},
	    {HEALTH "method: DELETE }\n",
		"5: services[0].health.method: `DELETE` is not one of GET, "
		"HEAD, OPTIONS, POST"},
	    {HEALTH "host: 'a b' }\n",
		"5: services[0].health.host: `a b` is not a host; write "
		"app.example.org, with a port if need be"},
	    {HEALTH "port: 65536 }\n",
		"5: services[0].health.port: `65536` is not a whole number "
		"from 0 to 65535"},
	    {HEALTH "headers: [X-A] }\n",
		"5: services[0].health.headers[0]: `X-A` is not \"Name: "
		"value\""},
	    {HEALTH "headers: ['X A: 1'] }\n",
		"5: services[0].health.headers[0]: `X A: 1` is not"},
	    {HEALTH "headers: ['host: a'] }\n",
		"5: services[0].health.headers[0]: `host` can't be set here; "
		"write host"},
	    {HEALTH "headers: ['Transfer-Encoding: chunked'] }\n",
		"5: services[0].health.headers[0]: `Transfer-Encoding` can't"},
	    {HEALTH "expect: { status: [99] } }\n",
		"5: services[0].health.expect.status[0]: `99` is not a status "
		"from 100 to 599; write 200, 2xx or 200-204"},
	    {HEALTH "expect: { status: [600] } }\n",
		"5: services[0].health.expect.status[0]: `600` is not"},
	    {HEALTH "expect: { status: [2000] } }\n",
		"5: services[0].health.expect.status[0]: `2000` is not"},
	    {HEALTH "expect: { status: [204-200] } }\n",
		"5: services[0].health.expect.status[0]: `204-200` is not"},
	    {HEALTH "expect: { status: [200-2xx] } }\n",
		"5: services[0].health.expect.status[0]: `200-2xx` is not"},
	    {HEALTH "method: HEAD, expect: { body: ok } }\n",
		"5: services[0].health.expect.body: a response to HEAD has no "
		"body"},
	    {LISTEN "services:\n- name: a\n  endpoints: ['unix:/a']\n"
		    "  health: { path: /, port: 1 }\n",
		"5: services[0].health.port: `unix:/a` has no port"},
	};

	(void)state;
	CHECK_ALL(mistakes);
}

static void
test_weights(void **state)
{
#define ENDPOINT(text)                                                         \
	LISTEN "services:\n- name: a\n  endpoints:\n  - 'g:1'\n  - '" text "'" \
	       "\n"
#define AT "6: services[0].endpoints[1]: "
	static const struct mistake mistakes[] = {
	    {ENDPOINT("h:1 weight=101"),
		AT "`weight=101` is not weight=N with a whole number from 0 to "
		   "100"},
	    {ENDPOINT("h:1 weight=-1"), AT "`weight=-1` is not weight=N"},
	    {ENDPOINT("h:1 weight="), AT "`weight=` is not weight=N"},
	    {ENDPOINT("h:1 weight=1.5"), AT "`weight=1.5` is not weight=N"},
	    {ENDPOINT("h:1 weight=99999999999"), AT "`weight=999999"},
	    {ENDPOINT("h:1 weight=1 weight=1"), AT "has more than one weight"},
	    {ENDPOINT("h:1 weight"),
		AT "unknown word `weight`; after the address there may be "
		   "weight=N"},
	    {ENDPOINT("h:1 backup"), AT "unknown word `backup`"},
	    {ENDPOINT("h:1 weight=2 backup"), AT "unknown word `backup`"},
	    {ENDPOINT("weight=2 h:1"), AT "`weight=2` is not host:port"},
	    {ENDPOINT("h:1, weight=2"), AT "`h:1,` is not host:port"},
	    {ENDPOINT("h :1"), AT "`h` is not host:port"},
	    {ENDPOINT("g:1 weight=2"), AT "`g:1` is listed twice"},
	    {ENDPOINT(" "), AT "`` is not host:port"},
	};
#undef ENDPOINT
#undef AT

	(void)state;
	CHECK_ALL(mistakes);
}

static void
test_balancing(void **state)
{
#define CONSISTENT SERVICE "  policy: consistent_hash\n"
	static const struct mistake mistakes[] = {
	    {SERVICE "  hash: path\n",
		"5: services[0].hash: only goes with `policy: "
		"consistent_hash`"},
	    {SERVICE "  policy: ip_hash\n  hash: header X\n",
		"6: services[0].hash: only goes with `policy: "},
	    {CONSISTENT "  hash: body\n",
		"6: services[0].hash: `body` is not path, header NAME, cookie "
		"NAME or query NAME"},
	    {CONSISTENT "  hash: header\n", "6: services[0].hash: `header` is"},
	    {CONSISTENT "  hash: path /a\n", "6: services[0].hash: `path /a`"},
	    {CONSISTENT "  hash: cookie a b\n", "6: services[0].hash: `cook"},
	    {CONSISTENT "  hash: cookie a;b\n", "6: services[0].hash: `cook"},
	    {CONSISTENT "  hash: 'header X:'\n", "6: services[0].hash: `head"},
	    {CONSISTENT "  hash: ' '\n", "6: services[0].hash: ` ` is not"},
	    {CONSISTENT "  hash: [ path ]\n",
		"6: services[0].hash: must be a single value"},
	    {SERVICE "  sticky: backend\n",
		"5: services[0].sticky: must be `key: value` pairs"},
	    {SERVICE "  sticky: {}\n",
		"5: services[0].sticky.cookie: is missing"},
	    {SERVICE "  sticky:\n    cookie: a b\n",
		"6: services[0].sticky.cookie: `a b` is not a cookie's name"},
	    {SERVICE "  sticky: { cookie: a=b }\n",
		"5: services[0].sticky.cookie: `a=b` is not a cookie's name"},
	    {SERVICE "  sticky: { cookie: a, ttl: 1h }\n",
		"5: services[0].sticky.ttl: unknown key; known here: cookie"},
	    {SERVICE "  slow_start: 10\n",
		"5: services[0].slow_start: `10` is not a duration"},
	    {SERVICE "  slow_start: 25h\n",
		"5: services[0].slow_start: `25h` is not from 1ms to 24h, or "
		"0"},
	    {SERVICE "  eject:\n    failures: 1001\n",
		"6: services[0].eject.failures: `1001` is not a whole number "
		"from 0 to 1000"},
	    {SERVICE "  eject:\n    failures: 1\n    for: 0\n",
		"7: services[0].eject.for: `0` is not from 1ms to 24h"},
	    {SERVICE "  eject: { fro: 1s }\n",
		"5: services[0].eject.fro: unknown key; did you mean `for`? "
		"known here: failures, for"},
	    {SERVICE "  timeouts: { tunnel: 0 }\n",
		"5: services[0].timeouts.tunnel: `0` is not from 1ms to 24h"},
	};
#undef CONSISTENT

	(void)state;
	CHECK_ALL(mistakes);
}

static void
test_routes(void **state)
{
	static const struct mistake mistakes[] = {
	    {SERVICE "- name: b\n  endpoints: ['h:2']\n"
		     "routes:\n- path: /\n  service: c\n",
		"9: routes[0].service: there is no service `c`; known: a, b"},
	    {LISTEN "routes: [{path: /, service: c}]\n",
		"2: routes[0].service: there is no service `c`; known: none"},
	    {LISTEN "routes:\n- path: /\n",
		"3: routes[0]: needs one of `service`, `handler` or `respond`"},
	    {SERVICE "routes:\n- { path: /, service: a, handler: count }\n",
		"6: routes[0]: has several of `service`, `handler` and"},
	    {LISTEN "routes: [{path: /, handler: counter}]\n",
		"2: routes[0].handler: `counter` is not one of metrics, count, "
		"cpu_bound, health"},
	    {LISTEN "routes: [{path: /, handler: none}]\n",
		"2: routes[0].handler: `none` is not one of"},
	    {LISTEN "routes: [{path: /, handler: '${T_UNSET}'}]\n",
		"2: routes[0].handler: is empty; name a handler"},
	    {LISTEN "routes:\n- {path: /a, handler: count}\n"
		    "- {path: /a, handler: health}\n",
		"4: routes[1].path: `/a` is also the path of routes[0]"},
	    {LISTEN "routes: [{path: a, handler: count}]\n",
		"2: routes[0].path: `a` is not a path, such as /api/users"},
	    {LISTEN "routes: [{path: /../a, handler: count}]\n",
		"2: routes[0].path: `/../a` has no normal form: the path leads "
		"above the root"},
	    {LISTEN "routes: [{path: /100%, handler: count}]\n",
		"2: routes[0].path: `/100%` has no normal form: a % in the "
		"path "
		"must begin an escape like %25"},
	    {LISTEN "client: {path: {empty_segments: refuse}}\n"
		    "routes: [{path: //a, handler: count}]\n",
		"3: routes[0].path: `//a` has no normal form: empty segments "
		"are refused (client.path.empty_segments)"},
	    {LISTEN "routes:\n- {path: /a, handler: count}\n"
		    "- {path: /b/../%61, handler: health}\n",
		"4: routes[1].path: `/a` is also the path of routes[0]"},
	    {SERVICE "routes: [{path: /, service: a, rewrite: /..}]\n",
		"5: routes[0].rewrite: `/..` has no normal form: the path "
		"leads "
		"above the root"},
	    {LISTEN "client: {path: {dot_segments: keep}}\n",
		"2: client.path.dot_segments: `keep` is not one of resolve, "
		"refuse"},
	    {LISTEN "client: {path: {encoded_slash: decode}}\n",
		"2: client.path.encoded_slash: `decode` is not one of keep, "
		"refuse"},
	    {LISTEN "client: {path: refuse}\n", "2: client.path: "},
	    {LISTEN "routes: [{path: /a?b, handler: count}]\n",
		"2: routes[0].path: `/a?b` is not a path"},
	    {LISTEN "routes: [{path: /, handler: count, upgrade_body: true}]\n",
		"2: routes[0].upgrade_body: only goes with a `service`"},
	    {LISTEN "routes: [{path: /, handler: count, rewrite: /x}]\n",
		"2: routes[0].rewrite: only goes with a `service`"},
	    {LISTEN "routes: [{path: /, respond: {json: '{'}}]\n",
		"2: routes[0].respond.json: is not valid JSON: "},
	    {LISTEN "routes: [{path: /, respond: {status: 100}}]\n",
		"2: routes[0].respond.status: `100` is not a whole number "
		"from 200 to 599"},
	    {LISTEN "routes: [{path: /, respond: {status: 204, json: '1'}}]\n",
		"2: routes[0].respond.json: a response 204 has no body"},
	    {LISTEN "routes: [{path: /, respond: {fail_percent: 101}}]\n",
		"2: routes[0].respond.fail_percent: `101` is not a whole"},
	};

	(void)state;
	CHECK_ALL(mistakes);
}

/* Each list gets an entry more than allowed. */
static void
test_too_many(void **state)
{
	static const struct {
		const char *before;
		const char *entry; /* with one %d */
		unsigned max;
		const char *message;
	} lists[] = {
	    {"listen:\n", "- { address: '*:%d' }\n", CONFIG_LISTEN_MAX,
		"1: listen: has 17 entries; at most 16"},
	    {LISTEN "services:\n", "- { name: s%d, endpoints: ['h:1'] }\n",
		CONFIG_SERVICES_MAX, "2: services: has 33 entries; at most 32"},
	    {LISTEN "services:\n- name: a\n  endpoints:\n", "  - h:%d\n",
		CONFIG_ENDPOINTS_MAX,
		"4: services[0].endpoints: has 1025 entries; at most "
		"1024"},
	    {LISTEN "routes:\n", "- { path: /%d, handler: count }\n",
		CONFIG_ROUTES_MAX, "2: routes: has 1025 entries; at most 1024"},
	};
	char text[65536];

	(void)state;
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		size_t len = strlen(strcpy(text, lists[i].before));
		struct mistake m = {text, lists[i].message};

		for (unsigned n = 1; n <= lists[i].max + 1; n++) {
			char *percent = strstr(lists[i].entry, "%d");

			if (n == lists[i].max + 1)
				config_load_free(fixture_load(text));
			len += (size_t)sprintf(text + len, "%.*s%u%s",
			    (int)(percent - lists[i].entry), lists[i].entry, n,
			    percent + 2);
		}
		fixture_refuses(&m, 1);
	}
}

/* A message never quotes a secret value. */
static void
test_secrets(void **state)
{
	char error[CONFIG_ERROR_MAX];

	(void)state;
	assert_null(
	    fixture_try(LISTEN "redis: { url: 'redis://:geheim@' }\n", error));
	assert_null(strstr(error, "geheim"));
}

static void
expect_file(const char *path, const char *message)
{
	char error[CONFIG_ERROR_MAX], wanted[CONFIG_ERROR_MAX];

	assert_null(config_load(path, error));
	snprintf(wanted, sizeof(wanted), "%s: %s", path, message);
	assert_string_equal(error, wanted);
}

static void
test_files(void **state)
{
	char dir[] = "/tmp/drover-config-XXXXXX", path[64];

	(void)state;
	assert_non_null(mkdtemp(dir));
	expect_file(dir, "is a directory, not a file");
	snprintf(path, sizeof(path), "%s/x", dir);
	expect_file(path, "cannot open it: No such file or directory");
	assert_int_equal(symlink("x", path), 0);
	expect_file(path, "cannot open it: Too many levels of symbolic links");
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	expect_file(path, "is a device or pipe, not a file");
	unlink(path);
	if (geteuid() != 0) {
		close(creat(path, 0));
		expect_file(path, "cannot open it: Permission denied");
		unlink(path);
	}
	rmdir(dir);
}

static void
test_size(void **state)
{
	enum { MAX = 1024 * 1024 };
	char error[CONFIG_ERROR_MAX], *text = malloc(MAX + 1);

	(void)state;
	assert_non_null(text);
	memset(text, '#', MAX + 1);
	memcpy(text, LISTEN, strlen(LISTEN));
	config_load_free(fixture_try_bytes(text, MAX, error));
	assert_string_equal(error, "");
	assert_null(fixture_try_bytes(text, MAX + 1, error));
	assert_non_null(strstr(error, ": is larger than 1 MiB"));
	free(text);
}

/* A path or a value that fills the message must not run over. */
static void
test_long_text(void **state)
{
	char error[CONFIG_ERROR_MAX], path[900], text[1000];

	(void)state;
	memset(path, 'p', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	assert_null(config_load(path, error));
	assert_non_null(strstr(error, "cannot open it: File name too long"));

	memset(text, 'k', sizeof(text));
	memcpy(text + sizeof(text) - 5, ": 1\n", 5);
	assert_null(fixture_try(text, error));
	assert_non_null(strstr(error, "1: kkkk"));
	assert_non_null(strstr(error, "unknown key; known here: instance"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_yaml),
	    cmocka_unit_test(test_own_listeners),
	    cmocka_unit_test(test_keys),
	    cmocka_unit_test(test_types),
	    cmocka_unit_test(test_values),
	    cmocka_unit_test(test_addresses),
	    cmocka_unit_test(test_services),
	    cmocka_unit_test(test_weights),
	    cmocka_unit_test(test_balancing),
	    cmocka_unit_test(test_routes),
	    cmocka_unit_test(test_too_many),
	    cmocka_unit_test(test_secrets),
	    cmocka_unit_test(test_files),
	    cmocka_unit_test(test_size),
	    cmocka_unit_test(test_long_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
