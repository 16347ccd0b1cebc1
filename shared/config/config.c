#include "config.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config_check.h"
#include "config_expand.h"
#include "config_schema.h"
#include "config_shape.h"
#include "config_value.h"
#include "config_where.h"

#define FILE_MAX ((size_t)1 << 20)

static const char *const handler_names[] = {
    [CONFIG_HANDLER_NONE] = "none",
    [CONFIG_HANDLER_METRICS] = "metrics",
    [CONFIG_HANDLER_COUNT] = "count",
    [CONFIG_HANDLER_CPU_BOUND] = "cpu_bound",
    [CONFIG_HANDLER_HEALTH] = "health",
    [CONFIG_HANDLER_WELCOME] = "welcome",
};

static const char *const policy_names[] = {
    [CONFIG_POLICY_ROUND_ROBIN] = "round_robin",
    [CONFIG_POLICY_LEAST_CONN] = "least_conn",
    [CONFIG_POLICY_RANDOM_TWO] = "random_two",
    [CONFIG_POLICY_IP_HASH] = "ip_hash",
    [CONFIG_POLICY_CONSISTENT_HASH] = "consistent_hash",
};

static const char *const hash_on_names[] = {
    [CONFIG_HASH_PATH] = "path",
    [CONFIG_HASH_HEADER] = "header",
    [CONFIG_HASH_COOKIE] = "cookie",
    [CONFIG_HASH_QUERY] = "query",
};

static const char *const accept_names[] = {
    [CONFIG_ACCEPT_REUSEPORT] = "reuseport",
    [CONFIG_ACCEPT_REUSEPORT_PLAIN] = "reuseport_plain",
    [CONFIG_ACCEPT_SHARED] = "shared",
};

const char *
config_accept_str(enum config_accept accept)
{
	return accept_names[accept];
}

const char *
config_policy_str(enum config_policy policy)
{
	return policy_names[policy];
}

const char *
config_hash_on_str(enum config_hash_on on)
{
	return hash_on_names[on];
}

const char *
config_handler_str(enum config_handler handler)
{
	return handler_names[handler];
}

/* The whole of fd, at most FILE_MAX; NULL with errno. */
static char *
read_all(int fd, size_t *len)
{
	char *text = malloc(FILE_MAX + 1);
	ssize_t n = 1;

	*len = 0;
	while (text != NULL && n > 0 && *len <= FILE_MAX) {
		n = read(fd, text + *len, FILE_MAX + 1 - *len);
		if (n == -1) {
			free(text);
			return NULL;
		}
		*len += (size_t)n;
	}
	return text;
}

static char *
read_file(const char *path, size_t *len, char error[CONFIG_ERROR_MAX])
{
	/* O_NONBLOCK: a FIFO without a writer must not hold up the start. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	char *text = NULL;

	if (fd == -1 || fstat(fd, &st) == -1)
		config_where_say(
		    error, path, 0, "cannot open it: %s", strerror(errno));
	else if (!S_ISREG(st.st_mode))
		config_where_say(error, path, 0, "is %s, not a file",
		    S_ISDIR(st.st_mode) ? "a directory" : "a device or pipe");
	else if ((text = read_all(fd, len)) == NULL)
		config_where_say(
		    error, path, 0, "cannot read it: %s", strerror(errno));
	else if (*len > FILE_MAX) {
		config_where_say(error, path, 0, "is larger than 1 MiB");
		free(text);
		text = NULL;
	}
	if (fd != -1)
		close(fd);
	return text;
}

/* Keeps libcyaml's first line, which names the fault. */
__attribute__((format(printf, 3, 0))) static void
on_cyaml_log(cyaml_log_t level, void *arg, const char *fmt, va_list ap)
{
	char *first = arg;

	(void)level;
	if (first[0] == '\0')
		vsnprintf(first, CONFIG_ERROR_MAX / 2, fmt, ap);
}

static void
note_lines(struct config_where *w, struct config *c)
{
	char path[64];

	c->lines.state_dir = config_where_line(w, "state_dir");
	c->lines.user = config_where_line(w, "user");
	c->lines.access = config_where_line(w, "log.access");
	c->lines.admin = config_where_line(w, "admin.address");
	c->lines.spawn = config_where_line(w, "redis.spawn");
	for (size_t i = 0; i < c->listen_count; i++) {
		snprintf(path, sizeof(path), "listen[%zu].address", i);
		c->listen[i].line = config_where_line(w, path);
	}
}

static struct config *
check(struct config_where *w, const char *path, const struct config_raw *raw)
{
	struct config *c = calloc(1, sizeof(*c));
	struct config_value v = {.where = w};

	if (c == NULL || (c->path = strdup(path)) == NULL)
		config_where_fail(w, 1, "", "no memory");
	else
		config_check(&v, raw, c);
	if (c != NULL && !config_where_has_failed(w)) {
		note_lines(w, c);
		return c;
	}
	config_free(c);
	return NULL;
}

/* text is shielded. */
static struct config *
load(struct config_where *w, const char *path, const char *text, size_t len)
{
	char why[CONFIG_ERROR_MAX / 2] = "";
	const cyaml_config_t cyaml = {
	    .log_fn = on_cyaml_log,
	    .log_ctx = why,
	    .mem_fn = cyaml_mem,
	    .log_level = CYAML_LOG_ERROR,
	    .flags = CYAML_CFG_NO_ALIAS,
	};
	struct config_raw *raw = NULL;
	struct config *c = NULL;
	cyaml_err_t err;

	config_shape_check(w, &config_schema);
	if (config_where_has_failed(w))
		return NULL;
	err = cyaml_load_data((const uint8_t *)text, len, &cyaml,
	    &config_schema, (cyaml_data_t **)&raw, NULL);
	if (err == CYAML_OK)
		c = check(w, path, raw);
	else
		config_where_fail(
		    w, 1, "", "libcyaml: %s; %s", cyaml_strerror(err), why);
	cyaml_free(&cyaml, &config_schema, raw, 0);
	return c;
}

struct config *
config_load(const char *path, char error[CONFIG_ERROR_MAX])
{
	struct config_where *w = NULL;
	struct config *c = NULL;
	char *text, *shielded = NULL;
	size_t len;

	text = read_file(path, &len, error);
	if (text == NULL)
		return NULL;
	shielded = config_expand_shield(text, len, &len);
	free(text);
	if (shielded == NULL) {
		config_where_say(error, path, 0, "no memory");
		return NULL;
	}
	w = config_where_new(path, shielded, len, error);
	if (w != NULL)
		c = load(w, path, shielded, len);
	config_where_free(w);
	free(shielded);
	return c;
}

static void
free_service(struct config_service *s)
{
	for (size_t i = 0; i < s->endpoint_count; i++)
		free(s->endpoints[i].text);
	free(s->endpoints);
	free(s->name);
	free(s->hash.name);
	free(s->sticky_cookie);
	free(s->health.path);
}

static void
free_matches(struct config_match *matches, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(matches[i].name);
		free(matches[i].value);
	}
	free(matches);
}

static void
free_route(struct config_route *r)
{
	free(r->path);
	free(r->host);
	free_matches(r->headers, r->header_count);
	free_matches(r->query, r->query_count);
	free(r->rewrite);
	free(r->respond.json);
}

void
config_free(struct config *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < c->listen_count; i++)
		free(c->listen[i].text);
	for (size_t i = 0; i < c->service_count; i++)
		free_service(&c->services[i]);
	for (size_t i = 0; i < c->route_count; i++)
		free_route(&c->routes[i]);
	free(c->listen);
	free(c->services);
	free(c->routes);
	free(c->series);
	free(c->admin.text);
	free(c->log.access);
	free(c->user);
	free(c->state_dir);
	free(c->cluster);
	free(c->instance);
	free(c->path);
	/* It held a password. */
	explicit_bzero(&c->redis.url, sizeof(c->redis.url));
	free(c);
}
