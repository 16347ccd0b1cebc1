#include "config_check.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config_route.h"
#include "config_service.h"
#include "message.h"

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))
#define STATE_DIR_MAX 1023
#define TARGET_BYTES ((size_t)8192)
#define TARGET_BYTES_MIN 256

static const char *const level_names[] = {
    [LOG_LEVEL_ERROR] = "error",
    [LOG_LEVEL_WARN] = "warn",
    [LOG_LEVEL_INFO] = "info",
    [LOG_LEVEL_DEBUG] = "debug",
};

static const char *const format_names[] = {
    [LOG_FORMAT_TEXT] = "text",
    [LOG_FORMAT_JSON] = "json",
};

/* The host's name, made to fit what an instance may be called. A buffer that
 * is too short for it would get none of it. */
static void
host_name(char buf[CONFIG_NAME_MAX + 1])
{
	char host[HOST_NAME_MAX + 1];

	if (gethostname(host, sizeof(host)) == -1)
		host[0] = '\0';
	snprintf(buf, CONFIG_NAME_MAX + 1, "%.*s", CONFIG_NAME_MAX, host);
	for (char *at = buf; *at != '\0'; at++) {
		char one[2] = {*at, '\0'};

		if (!config_value_is_name(one))
			*at = '-';
	}
	if (buf[0] == '\0')
		memcpy(buf, "drover", sizeof("drover"));
}

static unsigned
read_workers(struct config_value *v, const char *raw)
{
	char *text = config_value_text(v, "workers", raw, "auto");
	unsigned n = 0;

	if (text != NULL && strcmp(text, "auto") != 0)
		n = config_value_number(v, "workers", raw,
		    (struct config_value_range){NULL, 1, CONFIG_WORKERS_MAX});
	free(text);
	return n;
}

static char *
read_absolute(struct config_value *v, const char *key, const char *raw,
    const char *otherwise)
{
	char *text = config_value_text(v, key, raw, otherwise);

	if (text == NULL)
		return NULL;
	if (text[0] != '/' || strlen(text) > STATE_DIR_MAX)
		config_value_fail(v, key,
		    "`%.60s` is not an absolute path, such as %s", text,
		    otherwise);
	return text;
}

static void
check_log(
    struct config_value *v, const struct config_raw_log *raw, struct config *c)
{
	static const struct config_raw_log none;
	size_t mark = config_value_enter(v, "log");
	char *access;

	if (raw == NULL)
		raw = &none;
	c->log.level =
	    (enum log_level)config_value_choice(v, "level", raw->level,
		(struct config_value_choice){
		    level_names, COUNT(level_names), LOG_LEVEL_INFO});
	c->log.format =
	    (enum log_format)config_value_choice(v, "format", raw->format,
		(struct config_value_choice){
		    format_names, COUNT(format_names), LOG_FORMAT_TEXT});
	access = config_value_text(v, "access", raw->access, NULL);
	/* `off` is a boolean to YAML, and so spelled in several ways. */
	if (access != NULL &&
	    (strcmp(access, "off") == 0 || strcmp(access, "no") == 0 ||
		strcmp(access, "false") == 0)) {
		free(access);
		access = NULL;
	}
	if (access != NULL && strcmp(access, "stdout") != 0 && access[0] != '/')
		config_value_fail(v, "access",
		    "`%.60s` is not off, stdout or an absolute path", access);
	c->log.access = access;
	config_value_leave(v, mark);
}

static size_t
read_target(
    struct config_value *v, const struct config_raw_client *raw, size_t header)
{
	char otherwise[24];

	/* Who makes heads shorter than the default need not say this too. */
	snprintf(otherwise, sizeof(otherwise), "%zu",
	    header < TARGET_BYTES ? header : TARGET_BYTES);
	return config_value_size(v, "target", raw->target,
	    (struct config_value_range){otherwise, TARGET_BYTES_MIN, header});
}

static void
check_client(struct config_value *v, const struct config_raw_client *raw,
    struct config *c)
{
	static const struct config_raw_client none;
	size_t mark = config_value_enter(v, "client");

	if (raw == NULL)
		raw = &none;
	c->client.header_bytes = config_value_size(v, "header", raw->header,
	    (struct config_value_range){"16k", 1024, MESSAGE_HEAD_MAX});
	c->client.target_bytes = read_target(v, raw, c->client.header_bytes);
	c->client.body_bytes = config_value_size(v, "body", raw->body,
	    (struct config_value_range){"16m", 0, UINT64_C(1) << 40});
	c->client.connections = config_value_number(v, "connections",
	    raw->connections, (struct config_value_range){"10000", 1, 1000000});
	c->client.header_timeout_us = config_value_duration(
	    v, "header_timeout", raw->header_timeout, "10s");
	c->client.body_timeout_us =
	    config_value_duration(v, "body_timeout", raw->body_timeout, "60s");
	c->client.body_rate = config_value_size(v, "body_rate", raw->body_rate,
	    (struct config_value_range){"240", 0, UINT64_C(1) << 30});
	c->client.send_timeout_us =
	    config_value_duration(v, "send_timeout", raw->send_timeout, "60s");
	c->client.keep_alive_us =
	    config_value_duration(v, "keep_alive", raw->keep_alive, "75s");
	config_value_leave(v, mark);
}

static uint16_t
port_of(const struct sock_addr *addr)
{
	return addr->sa.sa_family == AF_INET6 ? addr->in6.sin6_port
					      : addr->in.sin_port;
}

bool
config_check_address(struct config_value *v, const char *raw,
    struct sock_addr *addr, char **text)
{
	*text = config_value_text(v, "address", raw, NULL);
	if (*text == NULL)
		return false;
	if (sock_addr_parse(addr, *text) == -1) {
		config_value_fail(v, "address",
		    "`%.120s` is not an address to listen on; write *:3000, "
		    "127.0.0.1:3000, [::]:3000 or unix:/path",
		    *text);
		return false;
	}
	/* Each worker's socket would get a port of its own. */
	if (addr->sa.sa_family != AF_UNIX && port_of(addr) == 0)
		config_value_fail(v, "address",
		    "`%.120s` needs a port from 1 to 65535", *text);
	return true;
}

/* Is the address taken by one of the first count? */
static bool
is_taken(const struct config *c, size_t count, const struct sock_addr *addr)
{
	for (size_t i = 0; i < count; i++)
		if (sock_addr_equal(&c->listen[i].addr, addr))
			return true;
	return false;
}

static void
check_listen_entry(struct config_value *v, const struct config_raw_listen *raw,
    struct config *c, size_t i)
{
	const char *const names[] = {
	    config_accept_str(CONFIG_ACCEPT_REUSEPORT),
	    config_accept_str(CONFIG_ACCEPT_REUSEPORT_PLAIN),
	    config_accept_str(CONFIG_ACCEPT_SHARED),
	};
	struct config_listen *l = &c->listen[i];
	bool is_unix;

	if (!config_check_address(v, raw->address, &l->addr, &l->text)) {
		config_value_fail(v, "address", "is empty; write *:3000");
		return;
	}
	if (is_taken(c, i, &l->addr))
		config_value_fail(
		    v, "address", "`%.120s` is listed twice", l->text);
	is_unix = l->addr.sa.sa_family == AF_UNIX;
	l->accept =
	    (enum config_accept)config_value_choice(v, "accept", raw->accept,
		(struct config_value_choice){names, COUNT(names),
		    is_unix ? CONFIG_ACCEPT_SHARED : CONFIG_ACCEPT_REUSEPORT});
	if (is_unix && l->accept != CONFIG_ACCEPT_SHARED)
		config_value_fail(
		    v, "accept", "a unix socket can only be `shared`");
}

static void
check_listen(
    struct config_value *v, const struct config_raw *raw, struct config *c)
{
	size_t mark;

	c->listen = calloc(raw->listen_count, sizeof(*c->listen));
	if (c->listen == NULL) {
		config_value_fail(v, "listen", "no memory");
		return;
	}
	c->listen_count = raw->listen_count;
	for (size_t i = 0; i < c->listen_count; i++) {
		mark = config_value_enter_item(v, "listen", i);
		check_listen_entry(v, &raw->listen[i], c, i);
		config_value_leave(v, mark);
	}
}

static void
check_admin(struct config_value *v, const struct config_raw_admin *raw,
    struct config *c)
{
	size_t mark = config_value_enter(v, "admin");

	/* ${ADMIN:-} is a way to have it on demand only. */
	if (raw != NULL)
		c->admin.enabled = config_check_address(
		    v, raw->address, &c->admin.addr, &c->admin.text);
	if (c->admin.enabled && is_taken(c, c->listen_count, &c->admin.addr))
		config_value_fail(v, "address",
		    "`%.120s` is already in `listen`", c->admin.text);
	config_value_leave(v, mark);
}

static void
check_event_loop(struct config_value *v,
    const struct config_raw_event_loop *raw, struct config *c)
{
	static const struct config_raw_event_loop none;
	size_t mark = config_value_enter(v, "event_loop");

	if (raw == NULL)
		raw = &none;
	c->event_loop.delay_warning_us = config_value_duration(
	    v, "delay_warning", raw->delay_warning, "50ms");
	c->event_loop.stall_threshold_us = config_value_duration(
	    v, "stall_threshold", raw->stall_threshold, "50ms");
	c->event_loop.kill_after_us = config_value_duration_or_zero(
	    v, "kill_after", raw->kill_after, "0");
	if (c->event_loop.kill_after_us != 0 &&
	    c->event_loop.kill_after_us < c->event_loop.stall_threshold_us)
		config_value_fail(v, "kill_after",
		    "is shorter than stall_threshold; write 0 for never");
	config_value_leave(v, mark);
}

static void
check_redis(struct config_value *v, const struct config_raw_redis *raw,
    struct config *c)
{
	size_t mark = config_value_enter(v, "redis");
	char *url = NULL;

	if (raw != NULL) {
		c->redis.spawn =
		    config_value_bool(v, "spawn", raw->spawn, false);
		url = config_value_text(v, "url", raw->url, NULL);
		c->redis.enabled = c->redis.spawn || url != NULL;
		if (raw->url == NULL && !c->redis.spawn)
			config_value_fail(
			    v, "url", "is missing; give it, or spawn: true");
	}
	/* Not quoted: it may hold a password. */
	if (url != NULL && strncmp(url, "rediss:", 7) == 0)
		config_value_fail(v, "url", "TLS (rediss://) is not supported");
	else if (url != NULL && redis_url_parse(&c->redis.url, url) == -1)
		config_value_fail(v, "url",
		    "is not a Redis URL; write "
		    "redis://[[user]:password@]host[:port][/db] "
		    "or unix:///path[?db=N], with %%40 for an @");
	free(url);
	config_value_leave(v, mark);
}

void
config_check(
    struct config_value *v, const struct config_raw *raw, struct config *c)
{
	char host[CONFIG_NAME_MAX + 1];

	host_name(host);
	c->instance = config_value_name(v, "instance", raw->instance, host);
	c->cluster = config_value_name(v, "cluster", raw->cluster, "drover");
	c->workers = read_workers(v, raw->workers);
	c->user = config_value_name(v, "user", raw->user, NULL);
	c->state_dir =
	    read_absolute(v, "state_dir", raw->state_dir, "/run/drover");
	c->drain_timeout_us = config_value_duration_or_zero(
	    v, "drain_timeout", raw->drain_timeout, "10s");
	check_log(v, raw->log, c);
	check_client(v, raw->client, c);
	check_listen(v, raw, c);
	check_admin(v, raw->admin, c);
	check_event_loop(v, raw->event_loop, c);
	check_redis(v, raw->redis, c);
	config_service_check(v, raw, c);
	config_route_check(v, raw, c);
}
