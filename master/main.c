/*
 * drover - the command line and the start of the master.
 */
#include <sys/resource.h>

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <ares.h>
#include <hiredis/hiredis.h>
#include <jansson.h>
#include <llhttp.h>
#include <yaml.h>

#include "config_load.h"
#include "config_manual.h"
#include "cores.h"
#include "helper.h"
#include "instance.h"
#include "listeners.h"
#include "log.h"
#include "pidlock.h"
#include "privileges.h"
#include "scoreboard.h"
#include "spawn.h"
#include "supervisor.h"
#include "title.h"

/* The words of -s, and their signals. */
static const struct {
	const char *word;
	int signal;
} orders[] = {
    {"quit", SIGQUIT},   /* drain first */
    {"stop", SIGINT},    /* at once */
    {"reopen", SIGUSR1}, /* the rotated access log */
};

enum action { ACTION_RUN, ACTION_TEST, ACTION_SIGNAL };

struct options {
	enum action action;
	const char *config_path;
	int signal;
};

static void
usage(FILE *f)
{
	fputs("usage: drover -c FILE              run\n"
	      "       drover -c FILE -t           check the configuration\n"
	      "       drover -c FILE -s quit      drain, then stop the "
	      "master\n"
	      "       drover -c FILE -s stop      stop the master at once\n"
	      "       drover -c FILE -s reopen    reopen the access log, after "
	      "a rotation\n"
	      "       drover -K                   the configuration's keys, "
	      "Markdown\n"
	      "       drover -v                   versions\n"
	      "       drover -h                   this text\n"
	      "in full: --config FILE, --test, --signal WORD, --keys, "
	      "--version, --help\n",
	    f);
}

static void
versions(void)
{
	printf("drover %s\nllhttp %d.%d.%d\nhiredis %d.%d.%d\nlibyaml %s\n"
	       "jansson %s\nc-ares %s\n",
	    INSTANCE_VERSION, LLHTTP_VERSION_MAJOR, LLHTTP_VERSION_MINOR,
	    LLHTTP_VERSION_PATCH, HIREDIS_MAJOR, HIREDIS_MINOR, HIREDIS_PATCH,
	    yaml_get_version_string(), jansson_version_str(),
	    ares_version(NULL));
}

static noreturn void
misused(const char *why, const char *what)
{
	fprintf(stderr, "drover: %s%s\n", why, what);
	usage(stderr);
	exit(EX_USAGE);
}

static int
order_signal(const char *word)
{
	for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++)
		if (strcmp(word, orders[i].word) == 0)
			return orders[i].signal;
	misused("-s takes quit, stop or reopen, not ", word);
}

static struct options
parse_options(int argc, char **argv)
{
	static const struct option names[] = {
	    {"config", required_argument, NULL, 'c'},
	    {"test", no_argument, NULL, 't'},
	    {"signal", required_argument, NULL, 's'},
	    {"keys", no_argument, NULL, 'K'},
	    {"version", no_argument, NULL, 'v'},
	    {"help", no_argument, NULL, 'h'},
	    {NULL, 0, NULL, 0},
	};
	struct options o = {.action = ACTION_RUN};
	int option;

	while (
	    (option = getopt_long(argc, argv, "c:ts:Kvh", names, NULL)) != -1) {
		switch (option) {
		case 'c':
			o.config_path = optarg;
			break;
		case 't':
			o.action = ACTION_TEST;
			break;
		case 's':
			o.action = ACTION_SIGNAL;
			o.signal = order_signal(optarg);
			break;
		case 'K':
			config_manual_print(stdout);
			exit(EXIT_SUCCESS);
		case 'v':
			versions();
			exit(EXIT_SUCCESS);
		case 'h':
			usage(stdout);
			exit(EXIT_SUCCESS);
		default:
			/* getopt_long(3) has printed the error. */
			usage(stderr);
			exit(EX_USAGE);
		}
	}
	if (optind < argc)
		misused("unexpected argument: ", argv[optind]);
	if (o.config_path == NULL)
		misused("a configuration is needed: ", "-c FILE");
	return o;
}

/* With a standard descriptor closed, the next file would get its number, and
 * log lines would be written there. */
static void
open_standard_files(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR | O_NOCTTY);
	while (fd != -1 && fd <= STDERR_FILENO);
	if (fd != -1)
		close(fd);
}

/* As many descriptors as we may have: each proxied request takes two. */
static void
raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == -1)
		return;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) == -1)
		log_warn("can't raise the limit of open files to %llu: %s",
		    (unsigned long long)limit.rlim_max, strerror(errno));
}

static void
block_signals(void)
{
	sigset_t set;

	spawn_signals(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
}

/* From here on, redis.url is the master's own Redis. */
static void
point_at_helper(struct config *config)
{
	if (config->redis.spawn &&
	    helper_url(config->state_dir, &config->redis.url) == -1)
		fatal("%s:%u: state_dir: no place for a socket: %s: %s",
		    config->path, config->lines.state_dir, config->state_dir,
		    strerror(errno));
}

static struct scoreboard *
open_scoreboard(const struct config *config, unsigned workers)
{
	struct scoreboard *sb = scoreboard_open(config, workers);

	if (sb == NULL)
		fatal("%s:%u: state_dir: can't make %s/scoreboard: %s",
		    config->path, config->lines.state_dir, config->state_dir,
		    strerror(errno));
	return sb;
}

/* The workers open the file as the user of this process: an error shall show
 * here, once. */
static void
check_access_log(const struct config *config)
{
	const char *path = config->log.access;
	int fd;

	if (path == NULL || strcmp(path, "stdout") == 0)
		return;
	fd = log_open_file(path);
	if (fd == -1)
		fatal("%s:%u: log.access: can't write %s: %s", config->path,
		    config->lines.access, path, strerror(errno));
	close(fd);
}

static int
run(struct config *config)
{
	static const char *const files[] = {
	    PIDLOCK_NAME, "scoreboard", "redis", "redis.log", NULL};
	unsigned workers = config->workers;
	struct listeners listeners;
	struct scoreboard *scoreboard;
	int status;

	if (workers == 0)
		workers = cores_usable(CORES_CGROUP_ROOT, CORES_CGROUP_SELF);
	if (workers > CONFIG_WORKERS_MAX)
		workers = CONFIG_WORKERS_MAX;
	raise_descriptor_limit();
	block_signals();
	pidlock_take(config);
	point_at_helper(config);
	listeners_open(&listeners, config, workers);
	scoreboard = open_scoreboard(config, workers);
	privileges_drop(config, files);
	check_access_log(config);
	status = supervisor_run(config, &listeners, scoreboard);
	listeners_close(&listeners);
	pidlock_release();
	return status;
}

/* Messages about the file go to the log; with -t they go to stderr unchanged.
 * Editors find the place by a leading FILE:LINE. */
static void
say_lines(
    const char *lines, enum action action, void (*say)(const char *fmt, ...))
{
	int len;

	for (; *lines != '\0'; lines += len + (lines[len] == '\n')) {
		len = (int)strcspn(lines, "\n");
		if (action == ACTION_TEST)
			fprintf(stderr, "%.*s\n", len, lines);
		else
			say("%.*s", len, lines);
	}
}

/* The configuration holds; the machine must know the user. */
static int
test(const struct config *config)
{
	if (config->user != NULL && !privileges_is_user(config->user)) {
		fprintf(stderr, "%s:%u: user: no such user: %s\n", config->path,
		    config->lines.user, config->user);
		return LOG_EXIT_CONFIG;
	}
	printf("%s: ok\n", config->path);
	return EXIT_SUCCESS;
}

static int
act(const struct options *options, struct config *config, int argc, char **argv)
{
	switch (options->action) {
	case ACTION_TEST:
		return test(config);
	case ACTION_SIGNAL:
		return pidlock_signal(config->state_dir, options->signal) == -1
			   ? EXIT_FAILURE
			   : EXIT_SUCCESS;
	default:
		title_init(argc, argv);
		title_name(options->config_path);
		title_set("master", "");
		return run(config);
	}
}

int
main(int argc, char **argv)
{
	char error[CONFIG_ERROR_MAX];
	struct options options;
	struct config *config;
	int status;

	open_standard_files();
	options = parse_options(argc, argv);
	config = config_load(options.config_path, error);
	if (config == NULL) {
		say_lines(error, options.action, log_error);
		return LOG_EXIT_CONFIG;
	}
	log_init(config->log.level, config->log.format);
	log_ident("master");
	if (config->warnings != NULL && options.action != ACTION_SIGNAL)
		say_lines(config->warnings, options.action, log_warn);
	status = act(&options, config, argc, argv);
	config_load_free(config);
	return status;
}
