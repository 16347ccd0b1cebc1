#include "checker.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "config_health.h"
#include "config_names.h"
#include "errno_text.h"
#include "fragment.h"
#include "log.h"
#include "parser_fault.h"
#include "proxy_protocol.h"
#include "service.h"
#include "upstream.h"

struct service_check {
	struct checker *checker;
	struct service *service;
	struct timer timer;
	size_t next; /* index of the next endpoint, modulo the count */
};

struct checker {
	struct runtime *runtime;
	struct service_check *checks;
	size_t count;
	struct upstream_list running; /* linked by idle_entry */
};

/* The checks of a service are spread over the interval: many endpoints must not
 * hold up the loop at once. A step is no finer than the timers of the loop. */
#define STEP_MIN_US 1000

/* Bytes of a body that are read, and of a head beyond the configuration's. */
#define BODY_MAX 65536
#define REST_MAX 1024

/* A worker with an older heartbeat stands still, and checks nothing. */
#define HEARTBEAT_MAX_NS UINT64_C(1000000000)

#define WHY_MAX (32 + ERRNO_TEXT_MAX)

static bool
is_my_turn(const struct runtime *rt)
{
	uint64_t now_ns = loop_now_us(rt->loop) * 1000;

	for (unsigned i = 0; i < rt->index; i++) {
		const struct scoreboard_slot *slot = &rt->scoreboard->slots[i];
		uint64_t beat_ns = atomic_load(&slot->heartbeat_ns);

		if (atomic_load(&slot->state) == SLOT_READY &&
		    (beat_ns > now_ns || now_ns - beat_ns < HEARTBEAT_MAX_NS))
			return false;
	}
	return true;
}

static void
judge(struct endpoint *e, bool good, const char *why)
{
	const struct config_service *config = e->config;
	struct member *shared = e->member;
	uint32_t verdict = good ? CHECKS_UP : CHECKS_DOWN;
	unsigned needed = good ? config->health.rise : config->health.fall;

	if (good != e->last_check_good)
		e->checks_in_a_row = 0;
	e->last_check_good = good;
	if (atomic_load(&shared->checks) == verdict ||
	    ++e->checks_in_a_row < needed)
		return;
	e->checks_in_a_row = 0;
	if (good && atomic_load(&shared->checks) == CHECKS_DOWN)
		atomic_store(
		    &shared->up_since_us, loop_now_us(e->runtime->loop));
	atomic_store(&shared->checks, verdict);
	if (good)
		log_info("endpoint %s of %s: up, %u checks passed", e->text,
		    config->name, needed);
	else
		log_warn("endpoint %s of %s: down, %u checks failed: %s",
		    e->text, config->name, needed, why);
}

/* For the log, with the error; returns buf. */
static const char *
why_failed(const char *what, int error, char buf[WHY_MAX])
{
	char name[ERRNO_TEXT_MAX];

	snprintf(buf, WHY_MAX, "%s (%s)", what, errno_text(error, name));
	return buf;
}

/* A service that does not accept fills its listen queue, and is down. */
static bool
is_shortage(int error)
{
	return shortage_is(error) && error != EAGAIN;
}

static void
end(struct upstream *up)
{
	struct checker *c = up->back.arg;

	TAILQ_REMOVE(&c->running, up, idle_entry);
	up->endpoint->check = NULL;
	upstream_close(up);
}

/* This host is short: no verdict. */
static void
give_up(struct upstream *up, int error)
{
	struct endpoint *e = up->endpoint;

	if (!e->gone)
		service_note_shortage(e->service, e, error);
	end(up);
}

static void
finish(struct upstream *up, bool good, const char *why)
{
	if (!up->endpoint->gone)
		judge(up->endpoint, good, why);
	end(up);
}

/* A limit or a check of ours refuses the response: no result. */
static void
refuse(struct upstream *up)
{
	char why[PARSER_FAULT_MAX];

	parser_fault_full(&up->back.parser, "service", why);
	endpoint_refused(up->endpoint, why);
	end(up);
}

static void
add_fields(struct fields *f, const struct config_service *config)
{
	const char *agent = "drover-check";

	fields_add(f, "Host",
	    config->health.host != NULL ? config->health.host : config->name);
	for (size_t i = 0; i < config->health.header_count; i++) {
		const struct config_field *field = &config->health.headers[i];

		if (strcasecmp(field->name, "User-Agent") == 0)
			agent = NULL;
		fields_add(f, field->name, field->value);
	}
	if (agent != NULL)
		fields_add(f, "User-Agent", agent);
	fields_add(f, "Connection", "close");
}

static void
send_check(struct upstream *up)
{
	const struct config_service *config = up->endpoint->config;
	const char *method = config_names_health[config->health.method];
	struct stream *s = &up->back.stream;
	char data[CONFIG_HEALTH_HEAD_MAX + REST_MAX];
	struct fields f;
	struct stream_start start = {
	    .method = {method, strlen(method)},
	    .path = {config->health.path, strlen(config->health.path)},
	    .is_head = config->health.method == CONFIG_HEALTH_HEAD,
	    /* RFC 9110 section 8.6: a POST says that no body comes. */
	    .no_body = config->health.method != CONFIG_HEALTH_POST,
	};

	stream_lay_out(&start, &f, data, sizeof(data));
	add_fields(&f, config);
	if (fields_are_full(&f)) {
		finish(up, false, "the head is too long");
		return;
	}
	(void)stream_begin(s, &start);
	stream_write(s, &(struct stream_piece){.last = true});
	if (s->out == STREAM_OUT_ENDED)
		stream_take(s);
	else
		finish(up, false, "connection lost");
}

static void
on_head(struct upstream *up)
{
	const struct head *head = up->back.stream.head;
	struct endpoint *e = up->endpoint;
	const struct config_service *config = e->config;
	char why[32];

	snprintf(why, sizeof(why), "bad status %u", head->status);
	if (head_is_interim(head))
		stream_take(&up->back.stream);
	else if (!config_health_expects(&config->health.statuses, head->status))
		finish(up, false, why);
	else if (config->health.body == NULL)
		finish(up, true, NULL);
	else if (!head_has_body(head))
		finish(up, false, "the body is empty");
	else {
		e->sought = (struct fragment){.text = config->health.body};
		e->check_bytes = 0;
		stream_take(&up->back.stream);
	}
}

static void
on_piece(struct upstream *up)
{
	const struct stream_piece *piece = &up->back.piece;
	struct endpoint *e = up->endpoint;
	size_t room = BODY_MAX - e->check_bytes;
	size_t len = piece->len < room ? piece->len : room;

	e->check_bytes += len;
	if (fragment_find(&e->sought, piece->data, len))
		finish(up, true, NULL);
	else if (piece->last || e->check_bytes == BODY_MAX)
		finish(up, false, "the body lacks the expected text");
	else
		stream_take(&up->back.stream);
}

static void
on_event(void *arg, struct back *b, enum back_event event)
{
	struct upstream *up = upstream_of(b);
	bool is_connected = up->state == UPSTREAM_LENT;
	char why[WHY_MAX];

	(void)arg;
	switch (event) {
	case BACK_CONNECTED:
		send_check(up);
		break;
	case BACK_HEAD:
		on_head(up);
		break;
	case BACK_PIECE:
		on_piece(up);
		break;
	case BACK_FAILED:
		if (is_shortage(b->error)) {
			give_up(up, b->error);
			break;
		}
		if (b->error == EPROTO) {
			refuse(up);
			break;
		}
		finish(up, false,
		    why_failed(
			is_connected ? "no valid response" : "can't be reached",
			b->error, why));
		break;
	case BACK_TIMEOUT:
		finish(up, false, "timed out");
		break;
	case BACK_DRAINED:
	case BACK_WAITS:
		break;
	}
}

/* The check is for no client. */
static void
name_nobody(struct upstream *up)
{
	char header[PROXY_PROTOCOL_WRITE_MAX];
	size_t len = proxy_protocol_write_local(
	    header, up->endpoint->config->send_proxy);

	upstream_set_preface(up, (struct slice){header, len});
}

static void
start(struct checker *c, struct endpoint *e)
{
	char why[WHY_MAX];
	struct sock_addr addr;

	if (e->check != NULL || e->member == NULL)
		return;
	addr = e->addr;
	if (e->config->health.port != 0)
		sock_addr_set_port(&addr, (uint16_t)e->config->health.port);
	e->check = upstream_open_at(e, &addr);
	if (e->check == NULL && is_shortage(errno)) {
		service_note_shortage(e->service, e, errno);
		return;
	}
	if (e->check == NULL) {
		judge(e, false, why_failed("can't be reached", errno, why));
		return;
	}
	if (e->config->send_proxy != CONFIG_SEND_PROXY_OFF)
		name_nobody(e->check);
	TAILQ_INSERT_TAIL(&c->running, e->check, idle_entry);
	upstream_set_owner(e->check, on_event, c);
	upstream_set_deadline(e->check, e->config->health.timeout_us);
}

static void
on_timer(void *arg)
{
	struct service_check *check = arg;
	struct service *service = check->service;
	struct runtime *rt = check->checker->runtime;
	uint64_t interval_us = service->config->health.interval_us;
	size_t count = service->endpoint_count;
	size_t batch = 1 + (size_t)(count * STEP_MIN_US / interval_us);

	if (batch > count)
		batch = count;
	loop_timer_after(rt->loop, &check->timer,
	    count != 0 ? interval_us * batch / count : interval_us);
	if (!is_my_turn(rt))
		return;
	for (size_t i = 0; i < batch; i++)
		start(
		    check->checker, service->endpoints[check->next++ % count]);
}

struct checker *
checker_new(struct runtime *rt)
{
	struct checker *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->runtime = rt;
	TAILQ_INIT(&c->running);
	c->checks = calloc(rt->config->service_count + 1, sizeof(*c->checks));
	if (c->checks == NULL) {
		free(c);
		return NULL;
	}
	for (size_t i = 0; i < rt->config->service_count; i++) {
		struct service_check *check;

		if (rt->config->services[i].health.path == NULL)
			continue;
		check = &c->checks[c->count++];
		check->checker = c;
		check->service = rt->services[i];
		timer_init(&check->timer, on_timer, check);
		loop_timer_after(rt->loop, &check->timer, 0);
	}
	return c;
}

void
checker_free(struct checker *c)
{
	struct upstream *up;

	if (c == NULL)
		return;
	for (size_t i = 0; i < c->count; i++)
		loop_timer_clear(c->runtime->loop, &c->checks[i].timer);
	while ((up = TAILQ_FIRST(&c->running)) != NULL) {
		TAILQ_REMOVE(&c->running, up, idle_entry);
		up->endpoint->check = NULL;
		upstream_close(up);
	}
	free(c->checks);
	free(c);
}
