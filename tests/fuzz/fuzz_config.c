/*
 * Goal: config_load() takes any bytes: the result is a whole configuration, or
 * lines with the file's faults.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "config_load.h"
#include "input.h"

static char path[32];
static int fd = -1;

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	fd = memfd_create("config", MFD_CLOEXEC);
	MUST(fd != -1);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	/* The variables that a file's ${NAME} may name. */
	MUST(clearenv() == 0);
	MUST(setenv("SET", "127.0.0.1:80", 1) == 0);
	MUST(setenv("EMPTY", "", 1) == 0);
	MUST(setenv("ODD", "a: [b, '{\n", 1) == 0);
	return 0;
}

static void
check_lines(const char *lines)
{
	size_t len;

	MUST(strlen(lines) < CONFIG_ERROR_MAX);
	for (; *lines != '\0'; lines += len + (lines[len] == '\n')) {
		len = strcspn(lines, "\n");
		MUST(len < CONFIG_LINE_MAX);
		MUST(strncmp(lines, path, strlen(path)) == 0);
		MUST(lines[strlen(path)] == ':');
		for (size_t i = 0; i < len; i++)
			MUST((unsigned char)lines[i] >= 0x20 &&
			     lines[i] != 0x7f);
	}
}

static void
check_service(const struct config_service *s)
{
	MUST(strlen(s->name) > 0 && strlen(s->name) <= CONFIG_NAME_MAX);
	MUST(s->endpoint_count > 0);
	MUST(s->endpoint_count <= CONFIG_ENDPOINTS_MAX);
	for (size_t i = 0; i < s->endpoint_count; i++)
		MUST(strlen(s->endpoints[i].text) > 0);
	MUST(s->retries <= 10);
	MUST(s->breaker.failures <= 60);
	MUST(s->health.path == NULL || s->health.path[0] == '/');
}

static void
check_route(const struct config *c, const struct config_route *r)
{
	int goals = (r->service != -1) + (r->handler != CONFIG_HANDLER_NONE) +
		    r->has_respond;

	MUST(r->path[0] == '/');
	MUST(r->rewrite == NULL || r->rewrite[0] == '/');
	MUST(r->service >= -1 && r->service < (int)c->service_count);
	MUST(goals == 1);
	if (r->has_respond) {
		MUST(r->respond.status >= 200 && r->respond.status <= 599);
		MUST(r->respond.fail_percent <= 100);
	}
}

static void
check_config(const struct config *c)
{
	MUST(strcmp(c->path, path) == 0);
	MUST(strlen(c->instance) > 0 && strlen(c->instance) <= CONFIG_NAME_MAX);
	MUST(strlen(c->cluster) > 0 && strlen(c->cluster) <= CONFIG_NAME_MAX);
	MUST(c->workers <= CONFIG_WORKERS_MAX);
	MUST(c->state_dir[0] == '/');
	MUST(c->listen_count > 0 && c->listen_count <= CONFIG_LISTEN_MAX);
	for (size_t i = 0; i < c->listen_count; i++)
		MUST(strlen(c->listen[i].text) > 0);
	MUST(c->service_count <= CONFIG_SERVICES_MAX);
	for (size_t i = 0; i < c->service_count; i++)
		check_service(&c->services[i]);
	MUST(c->route_count <= CONFIG_ROUTES_MAX);
	for (size_t i = 0; i < c->route_count; i++)
		check_route(c, &c->routes[i]);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char error[CONFIG_ERROR_MAX] = "";
	struct config *c;

	MUST(ftruncate(fd, 0) == 0);
	MUST(pwrite(fd, data, len, 0) == (ssize_t)len);
	c = config_load(path, error);
	if (c == NULL) {
		MUST(error[0] != '\0');
		check_lines(error);
		return 0;
	}
	MUST(error[0] == '\0');
	if (c->warnings != NULL)
		check_lines(c->warnings);
	check_config(c);
	config_load_free(c);
	return 0;
}
