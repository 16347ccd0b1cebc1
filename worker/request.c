#include "request.h"

#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "clock.h"
#include "route.h"

/* For the access log only: nginx's "client closed request". */
#define GONE_STATUS 499

void
requests_init(
    struct requests *all, struct runtime *rt, const struct route_table *routes)
{
	*all = (struct requests){.runtime = rt, .routes = routes};
	slab_init(&all->slab, sizeof(struct request));
}

void
requests_fini(struct requests *all)
{
	slab_fini(&all->slab);
}

static void
abort_task(struct request *r)
{
	struct task *task = r->task;

	r->task = NULL;
	if (task != NULL)
		task->ops->abort(task);
}

void
request_begin_task(struct request *r, struct task *task)
{
	if (!CONFINED(r->task == NULL, "a second task for one request")) {
		abort_task(r);
		session_cut(r->session);
	}
	r->task = task;
}

void
request_end_task(struct request *r)
{
	r->task = NULL;
}

/* ---- what is recorded ---- */

/* A copy with an end, and a mark where it was cut. cap: 4 at least. Returns its
 * length. */
static size_t
copy_cut(char *to, size_t cap, struct slice from)
{
	size_t len = from.len;

	CHECK(cap >= 4);
	if (len >= cap)
		len = cap - 1;
	if (len != 0)
		memcpy(to, from.at, len);
	to[len] = '\0';
	if (len < from.len)
		memcpy(to + len - 3, "...", 3);
	return len;
}

/* What the access log says of it. */
static void
note_request(struct request *r, const struct message *m)
{
	struct request_text *text = malloc(sizeof(*text));
	const char *method = message_method(m);
	const char *version =
	    m->parser.http_minor == 0 ? " HTTP/1.0" : " HTTP/1.1";
	size_t room = sizeof(text->line) - strlen(version), len;

	if (text == NULL)
		return;
	r->text = text;
	len =
	    copy_cut(text->line, room, (struct slice){method, strlen(method)});
	text->line[len++] = ' ';
	len += copy_cut(text->line + len, room - len, m->path);
	memcpy(text->line + len, version, strlen(version) + 1);
	r->record.request = text->line;
	if (m->host.at != NULL) {
		copy_cut(text->host, sizeof(text->host), m->host);
		r->record.host = text->host;
	}
}

struct request *
request_new(struct requests *all, struct session *s)
{
	struct request *r = slab_get(&all->slab);

	if (r == NULL)
		return NULL;
	r->all = all;
	r->runtime = all->runtime;
	r->session = s;
	r->task = NULL;
	record_init(&r->record);
	r->text = NULL;
	r->series = 0;
	r->cut = false;
	if (all->log != NULL)
		note_request(r, session_request(s));
	return r;
}

static void
drop(struct request *r)
{
	free(r->text);
	slab_put(&r->all->slab, r);
}

static void
log_record(struct requests *all, const struct session *s, struct record *record,
    enum session_close why)
{
	char peer[SOCK_TEXT_MAX];

	record->client = sock_host_str(session_peer(s), peer);
	if (record->end == NULL)
		record->end = session_close_word(why);
	request_hooks.log(all->log, record);
}

static void
log_request(struct request *r, unsigned status, uint64_t bytes_out,
    enum session_close why)
{
	struct session *s = r->session;

	if (r->all->log == NULL)
		return;
	r->record.status = status;
	r->record.bytes_in = session_request(s)->body_bytes;
	r->record.bytes_out = bytes_out;
	r->record.total_us = clock_ns() / 1000 - session_request_us(s);
	log_record(r->all, s, &r->record, why);
}

/* What was no request, and was refused, has only its response's facts. */
static void
log_refusal(struct requests *all, const struct session *s)
{
	struct record record;

	if (all->log == NULL)
		return;
	record_init(&record);
	record.status = session_status(s);
	record.bytes_out = session_response_bytes(s);
	log_record(all, s, &record, session_why(s));
}

void
request_note_id(struct request *r, const char *id)
{
	if (r->text == NULL)
		return;
	strlcpy(r->text->id, id, sizeof(r->text->id));
	r->record.id = r->text->id;
}

void
request_note_upstream(struct request *r, const char *address)
{
	r->record.tries++;
	if (r->text == NULL)
		return;
	strlcpy(r->text->upstream, address, sizeof(r->text->upstream));
	r->record.upstream = r->text->upstream;
}

/* What the worker is on, "GET /path", for whoever watches it stall: without
 * the query, which is nobody's business in a log. Who blocked this iteration
 * keeps the blame: the delay is logged at its end. */
static void
note_activity(struct runtime *rt, const struct message *m)
{
	struct scoreboard_slot *slot = rt->slot;
	const char *query;
	struct text activity;
	size_t len = m->path.len;

	if (rt->blocked_us == loop_now_us(rt->loop))
		return;
	text_init(&activity, slot->activity, sizeof(slot->activity));
	text_add_str(&activity, message_method(m));
	text_add(&activity, " ", 1);
	if (len > activity.cap - activity.len)
		len = activity.cap - activity.len;
	query = memchr(m->path.at, '?', len);
	if (query != NULL)
		len = (size_t)(query - m->path.at);
	text_add(&activity, m->path.at, len);
	atomic_store_explicit(
	    &slot->activity_len, (uint32_t)activity.len, memory_order_release);
}

/* RFC 9110 section 15.5.6. */
static void
refuse_method(struct session *s, uint64_t methods)
{
	static const char body[] =
	    "{\"error\":\"method not allowed here\",\"status\":405}";
	char allow[512];
	struct text t;

	text_init(&t, allow, sizeof(allow) - 1);
	text_add_str(&t, "Allow: ");
	route_add_methods(&t, methods);
	text_add(&t, "\r\n", 2);
	if (!CONFINED(!text_is_full(&t), "the methods of a 405")) {
		session_cut(s);
		return;
	}
	allow[t.len] = '\0';
	session_reply(
	    s, 405, "application/json", allow, body, sizeof(body) - 1);
}

/* What is answered here: the log has its id, too. */
static void
note_own_id(struct request *r)
{
	struct trace trace;

	if (r->text == NULL)
		return;
	trace_of_request(
	    &trace, r->runtime->trace, session_request(r->session));
	request_note_id(r, trace.id);
}

static void
start_task(struct request *r, const struct config_route *route)
{
	r->record.route = route->path;
	r->series = route->series;
	if (route->service < 0)
		note_own_id(r);
	request_hooks.start(r, route);
}

void
request_start(struct request *r)
{
	struct runtime *rt = r->runtime;
	const struct message *m = session_request(r->session);
	const struct config_route *route;
	uint64_t methods;

	runtime_count(rt, SCOREBOARD_REQUESTS);
	counter_gauge(&rt->slot->in_flight, 1);
	note_activity(rt, m);
	if (m->max_forwards == 0) {
		note_own_id(r);
		request_hooks.last_hop(r);
		return;
	}
	switch (route_find(r->all->routes, m, &route, &methods)) {
	case ROUTE_FOUND:
		start_task(r, route);
		break;
	case ROUTE_NO_METHOD:
		note_own_id(r);
		refuse_method(r->session, methods);
		break;
	case ROUTE_NONE:
		note_own_id(r);
		if (request_hooks.is_last_hop(m))
			request_hooks.last_hop(r);
		else
			session_reply_error(
			    r->session, 404, "no route for this path");
		break;
	}
}

void
request_on_body(struct request *r, const char *data, size_t len, bool last)
{
	if (r->task != NULL)
		r->task->ops->on_body(r->task, data, len, last);
}

void
request_on_drained(struct request *r)
{
	if (r->task != NULL && r->task->ops->on_drained != NULL)
		r->task->ops->on_drained(r->task);
}

/* ---- its end ---- */

/* The request's head is the clock's start: a request that was refused before
 * has no time. */
static void
end_request(struct request *r, unsigned status, enum scoreboard_code code,
    uint64_t bytes_out, enum session_close why)
{
	struct runtime *rt = r->runtime;

	endings_add(&rt->endings,
	    &rt->durations[r->series * SCOREBOARD_CODE_COUNT + code],
	    session_request_us(r->session));
	log_request(r, status, bytes_out, why);
}

static bool
has_left(const struct session *s)
{
	return session_why(s) == SESSION_CLOSE_PEER ||
	       session_why(s) == SESSION_CLOSE_RESET;
}

void
request_on_response_end(
    struct requests *all, struct session *s, struct request *r, bool complete)
{
	struct runtime *rt = all->runtime;
	enum scoreboard_code code = scoreboard_code_of(session_status(s));

	/* Without a request, the session has answered by itself. */
	if (r == NULL) {
		runtime_count(rt, SCOREBOARD_REQUESTS);
	} else {
		if (!complete && r->task != NULL && has_left(s))
			runtime_count(rt, SCOREBOARD_CLIENT_ABORTS);
		/* The session refused the request in mid-body: the task is
		 * off. */
		abort_task(r);
		counter_gauge(&rt->slot->in_flight, -1);
	}
	if (session_request(s)->error != MESSAGE_NONE)
		runtime_count(rt, SCOREBOARD_BAD_REQUESTS);
	runtime_count(rt, SCOREBOARD_RESPONSES_1XX + code);
	if (complete && r == NULL) {
		log_refusal(all, s);
	} else if (complete) {
		end_request(r, session_status(s), code,
		    session_response_bytes(s), session_why(s));
		drop(r);
	} else if (r != NULL) {
		/* Why is known when the connection closes, which is next. */
		r->cut = true;
	}
}

void
request_on_close(struct request *r, enum session_close reason)
{
	struct runtime *rt = r->runtime;

	if (r->task != NULL)
		runtime_count(rt, SCOREBOARD_CLIENT_ABORTS);
	abort_task(r);
	if (r->cut) {
		end_request(r, session_status(r->session),
		    scoreboard_code_of(session_status(r->session)),
		    session_response_bytes(r->session), reason);
	} else {
		/* Gone before its answer began. */
		counter_gauge(&rt->slot->in_flight, -1);
		end_request(r, GONE_STATUS, SCOREBOARD_CODE_499, 0, reason);
	}
	drop(r);
}
