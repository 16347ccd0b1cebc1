/*
 * load - the bench's load generator.
 *
 *   load [OPTION...] 127.0.0.1:PORT
 *
 *   -c N             connections (1)
 *   -n N | -d SECS   how many requests, or for how long (-n 1)
 *   -p PATH          (/128); each answer has to be a 200 with -e bytes
 *   -e BYTES         (the number that PATH ends with: /16k, /1m)
 *   -b BYTES         POST a body of so many
 *   --active N       so many requests at a time, over all connections in turn
 *   --pipeline N     so many requests in one write
 *   --paths N        /r0PATH, /r1PATH ... in turn
 *   --rate R         requests a second, whether answers come or not; times
 *                    count from when a request was due
 *   --late           each connection opens with its first request, as clients
 *                    that come; not all of them before the run
 *   --reconnect      a new connection for each request; this side ends it
 *   --close          likewise, but each asks the other side to end it
 *   --sources N      local addresses, from 127.0.0.2 on (1): more ports
 *   --websocket      echo -b bytes (128) over WebSockets instead
 *   --wait           see below
 *
 * Prints a line of JSON: completed, errors and their kinds, seconds, times.
 * It first opens all connections, with one request on each that does not count,
 * unless --late says otherwise.
 *
 * With --wait it prints "ready" when they are open, and then runs once for each
 * line of its input: "run SECONDS" or "count REQUESTS". At the end of the input
 * it ends, and so do the connections; until then they stay.
 */
#include <err.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fleet.h"
#include "frame.h"
#include "net.h"

struct options {
	struct plan plan;
	double seconds;
	uint64_t count;
	bool expects; /* -e was given */
	bool waits;
};

enum {
	ACTIVE = 256,
	PIPELINE,
	PATHS,
	RATE,
	LATE,
	RECONNECT,
	CLOSE,
	SOURCES,
	WEBSOCKET,
	WAIT
};

static const struct option long_options[] = {
    {"active", required_argument, NULL, ACTIVE},
    {"pipeline", required_argument, NULL, PIPELINE},
    {"paths", required_argument, NULL, PATHS},
    {"rate", required_argument, NULL, RATE},
    {"late", no_argument, NULL, LATE},
    {"reconnect", no_argument, NULL, RECONNECT},
    {"close", no_argument, NULL, CLOSE},
    {"sources", required_argument, NULL, SOURCES},
    {"websocket", no_argument, NULL, WEBSOCKET},
    {"wait", no_argument, NULL, WAIT},
    {NULL, 0, NULL, 0},
};

static double
number(const char *text, double min, double max)
{
	char *end;
	double value = strtod(text, &end);

	if (end == text || *end || !(value >= min && value <= max))
		errx(1, "not a number from %g to %g: %s", min, max, text);
	return value;
}

static unsigned
whole(const char *text, unsigned max)
{
	return (unsigned)number(text, 1, max);
}

/* The backend's answer. */
static uint64_t
path_bytes(const char *path)
{
	const char *segment = strrchr(path, '/');
	char *unit;
	uint64_t bytes;

	if (!segment || segment[1] < '0' || segment[1] > '9')
		return 2;
	bytes = strtoull(segment + 1, &unit, 10);
	if (*unit == 'k')
		return bytes << 10;
	return *unit == 'm' ? bytes << 20 : bytes;
}

static void
take_option(struct options *o, int option)
{
	switch (option) {
	case 'c':
		o->plan.connections = whole(optarg, 100000);
		return;
	case 'n':
		o->count = (uint64_t)number(optarg, 1, 1e12);
		return;
	case 'd':
		o->seconds = number(optarg, 0.001, 3600);
		return;
	case 'p':
		o->plan.path = optarg;
		return;
	case 'e':
		o->plan.expect_bytes = (uint64_t)number(optarg, 0, 1e12);
		o->expects = true;
		return;
	case 'b':
		o->plan.post_bytes = (size_t)number(optarg, 0, 1e9);
		o->plan.is_post = true;
		return;
	case ACTIVE:
		o->plan.active = whole(optarg, 100000);
		return;
	case PIPELINE:
		o->plan.pipeline = whole(optarg, 1000);
		return;
	case PATHS:
		o->plan.paths = whole(optarg, 100000);
		return;
	case RATE:
		o->plan.rate = number(optarg, 0.1, 1e7);
		return;
	case LATE:
		o->plan.opens_late = true;
		return;
	case RECONNECT:
		o->plan.reconnects = true;
		return;
	case CLOSE:
		o->plan.closes = true;
		return;
	case SOURCES:
		o->plan.sources = whole(optarg, 250);
		return;
	case WEBSOCKET:
		o->plan.is_websocket = true;
		return;
	case WAIT:
		o->waits = true;
		return;
	default:
		exit(1);
	}
}

static void
take_arguments(struct options *o, int argc, char **argv)
{
	struct plan *plan = &o->plan;
	int option;

	while ((option = getopt_long(
		    argc, argv, "c:n:d:p:e:b:", long_options, NULL)) != -1)
		take_option(o, option);
	if (optind + 1 != argc)
		errx(1, "usage: load [OPTION...] 127.0.0.1:PORT");
	plan->target = net_addr(argv[optind]);
	if (plan->active == 0)
		plan->active = plan->connections;
	if (!o->expects)
		plan->expect_bytes = path_bytes(plan->path);
	if (o->count == 0 && o->seconds == 0 && !o->waits)
		o->count = 1;
	if (plan->is_websocket) {
		if (!plan->is_post)
			plan->post_bytes = 128;
		if (plan->post_bytes > FRAME_BYTES_MAX || plan->pipeline > 1)
			errx(1, "a WebSocket echoes one message of at most "
				"65535 bytes at a time");
	}
	if (plan->closes && (plan->is_websocket || plan->pipeline > 1))
		errx(1, "--close is for one request at a time");
	if (plan->rate > 0 && (o->count > 0 || plan->pipeline > 1))
		errx(1, "--rate goes with -d, and not with --pipeline");
}

static void
print_tally(const struct tally *t)
{
	double seconds = (double)(t->ended_ns - t->started_ns) / 1e9;
	const char *comma = "";

	printf("{\"completed\": %llu, \"errors\": %llu, \"kinds\": {",
	    (unsigned long long)t->completed,
	    (unsigned long long)tally_failures(t));
	for (enum failure i = 0; i < FAILURES; i++) {
		if (t->failures[i] == 0)
			continue;
		printf("%s\"%s\": %llu", comma, failure_str(i),
		    (unsigned long long)t->failures[i]);
		comma = ", ";
	}
	printf("}, \"unsent\": %llu, \"reopened\": %llu, \"seconds\": %.6f, "
	       "\"rate\": %.1f, \"p50_us\": %.2f, \"p99_us\": %.2f, "
	       "\"max_us\": %.2f}\n",
	    (unsigned long long)t->unsent, (unsigned long long)t->reopened,
	    seconds, seconds > 0 ? (double)t->completed / seconds : 0,
	    (double)latency_quantile(&t->latency, 0.5) / 1e3,
	    (double)latency_quantile(&t->latency, 0.99) / 1e3,
	    (double)t->latency.max_ns / 1e3);
	fflush(stdout);
}

/* The tally is too big for a stack's taste. */
static struct tally tally;

static void
run(double seconds, uint64_t count)
{
	memset(&tally, 0, sizeof tally);
	fleet_run(seconds, count, &tally);
	print_tally(&tally);
}

static void
run_lines(void)
{
	char line[80];

	puts("ready");
	fflush(stdout);
	while (fgets(line, sizeof line, stdin)) {
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, "run ", 4) == 0)
			run(number(line + 4, 0.001, 3600), 0);
		else if (strncmp(line, "count ", 6) == 0)
			run(0, (uint64_t)number(line + 6, 1, 1e12));
		else
			errx(1, "neither run nor count: %s", line);
	}
}

int
main(int argc, char **argv)
{
	static struct options o = {
	    .plan = {
		.path = "/128", .connections = 1, .pipeline = 1, .sources = 1}};

	take_arguments(&o, argc, argv);
	net_raise_limit();
	fleet_open(&o.plan, &tally);
	if (tally_failures(&tally) > 0) {
		print_tally(&tally);
		errx(1, "not all connections could be opened");
	}
	if (o.waits)
		run_lines();
	else
		run(o.seconds, o.count);
	return 0;
}
