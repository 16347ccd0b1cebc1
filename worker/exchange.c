#include "exchange.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exchange_private.h"
#include "forward.h"
#include "log.h"

static void on_admission(void *arg, bool admitted);
static void on_connection(
    void *arg, enum pool_result result, struct upstream *up);
static void on_upstream(
    void *arg, struct upstream *up, enum upstream_event event);
static void abort_exchange(struct task *task);
static void connect_to_service(struct exchange *x);

static const struct task_ops ops = {
    .on_body = exchange_on_body,
    .on_drained = exchange_on_drained,
    .abort = abort_exchange,
};

static const char *const state_names[] = {
    [EXCHANGE_ADMISSION] = "admission",
    [EXCHANGE_QUEUED] = "queued",
    [EXCHANGE_CONNECTING] = "connecting",
    [EXCHANGE_STREAMING] = "streaming",
    [EXCHANGE_FAILED] = "failed",
    [EXCHANGE_ENDED] = "ended",
};

void
exchange_enter(struct exchange *x, enum exchange_state state)
{
	static const bool legal[][EXCHANGE_ENDED + 1] = {
	    [EXCHANGE_ADMISSION] =
		{[EXCHANGE_QUEUED] = true, [EXCHANGE_ENDED] = true},
	    [EXCHANGE_QUEUED] = {[EXCHANGE_CONNECTING] = true,
		[EXCHANGE_STREAMING] = true,
		[EXCHANGE_FAILED] = true,
		[EXCHANGE_ENDED] = true},
	    [EXCHANGE_CONNECTING] = {[EXCHANGE_STREAMING] = true,
		[EXCHANGE_QUEUED] = true,
		[EXCHANGE_FAILED] = true,
		[EXCHANGE_ENDED] = true},
	    [EXCHANGE_STREAMING] = {[EXCHANGE_QUEUED] = true,
		[EXCHANGE_FAILED] = true,
		[EXCHANGE_ENDED] = true},
	    [EXCHANGE_FAILED] = {[EXCHANGE_ENDED] = true},
	    [EXCHANGE_ENDED] = {false},
	};

	CHECK(legal[x->state][state]);
	if (log_is_debug())
		log_debug("exchange with %s: %s -> %s",
		    x->service->config->name, state_names[x->state],
		    state_names[state]);
	x->state = state;
}

static void
count(struct exchange *x, enum scoreboard_service_total total)
{
	scoreboard_add(&x->worker->slot->services[x->service->index][total], 1);
}

static void
let_go_of_upstream(struct exchange *x, bool keep)
{
	struct upstream *up = x->up;

	if (up == NULL)
		return;
	x->up = NULL;
	endpoint_end(up->endpoint);
	if (keep)
		pool_release(up);
	else
		pool_discard(up);
}

/* Everything but the answer: nobody calls this exchange back after it. */
static void
end(struct exchange *x, bool keep_upstream)
{
	struct worker *w = x->worker;

	exchange_enter(x, EXCHANGE_ENDED);
	let_go_of_upstream(x, keep_upstream);
	pool_cancel(&x->wait);
	loop_defer_cancel(w->loop, &x->again);
	breakers_release(w->breakers, &x->ticket);
	scoreboard_gauge(&w->slot->service_in_flight[x->service->index], -1);
	service_end(x->service, x->retries != 0);
	buffer_put(w->buffers, x->head);
	loop_bury(w->loop, x, free);
}

static void
abort_exchange(struct task *task)
{
	end((struct exchange *)task, false);
}

/* ---- verdicts ---- */

/* Ends with an error of our own, or breaks a response off. */
static void
end_with_error(struct exchange *x, unsigned status, const char *what,
    unsigned retry_after_s)
{
	struct session *s = x->client->session;
	char body[192], extra[48] = "";
	int len;

	client_end_task(x->client);
	if (x->response_begun) {
		session_cut(s);
		end(x, false);
		return;
	}
	if (retry_after_s != 0)
		snprintf(
		    extra, sizeof(extra), "Retry-After: %u\r\n", retry_after_s);
	/* Service names and our own texts: nothing that wants escaping. */
	len = snprintf(body, sizeof(body),
	    "{\"error\":\"service %s: %s\",\"status\":%u}",
	    x->service->config->name, what, status);
	end(x, false);
	session_reply(s, status, "application/json", extra, body, (size_t)len);
}

/* The answer waits until the breaker has counted the failure, so that the
 * third failure's answer says that the circuit is open. */
static void
fail(struct exchange *x, unsigned status, const char *why)
{
	count(x, SCOREBOARD_SERVICE_FAILURES);
	log_debug(
	    "exchange with %s: %u, %s", x->service->config->name, status, why);
	if (breakers_report(x->worker->breakers, &x->ticket, true, why) ||
	    x->response_begun) {
		end_with_error(x, status, why, 0);
		return;
	}
	x->error_status = status;
	x->error = why;
	exchange_enter(x, EXCHANGE_FAILED);
	let_go_of_upstream(x, false);
	loop_defer_cancel(x->worker->loop, &x->again);
}

static void
on_settled(void *arg)
{
	struct exchange *x = arg;

	if (x->state == EXCHANGE_FAILED)
		end_with_error(x, x->error_status, x->error, 0);
	else
		exchange_resume(x);
}

static void
shed(struct exchange *x)
{
	worker_count(x->worker, SCOREBOARD_UP_SHED);
	end_with_error(x, 503, "too many requests are waiting", 1);
}

static void
reject(struct exchange *x)
{
	unsigned after_s =
	    breakers_retry_after_s(x->worker->breakers, x->service->index);

	count(x, SCOREBOARD_SERVICE_REJECTED);
	end_with_error(x, 503, "circuit open", after_s);
}

/* A kept-alive connection that the backend had closed, without a word. */
static bool
was_stale(const struct exchange *x, unsigned status)
{
	return x->up != NULL && x->up->reused && status == 502 &&
	       x->up->message.head_bytes == 0 && !x->retried_stale;
}

/* May the request be sent again, after this try? */
static bool
may_try_again(struct exchange *x, unsigned status)
{
	if (x->response_begun || x->body_begun || (x->sent && !x->idempotent))
		return false;
	if (was_stale(x, status)) {
		x->retried_stale = true;
		x->wait.fresh = true;
		x->wait.avoid = false;
		return true;
	}
	if (x->retries >= x->service->config->retries ||
	    x->service->endpoint_count < 2 ||
	    !service_start_retry(x->service, x->retries != 0))
		return false;
	x->retries++;
	x->wait.avoid = true;
	return true;
}

void
exchange_try_failed(struct exchange *x, unsigned status, const char *why)
{
	bool stale = was_stale(x, status);
	bool again = may_try_again(x, status);

	if (!stale)
		endpoint_failed(
		    x->wait.endpoint, why, x->state != EXCHANGE_STREAMING);
	if (!again) {
		fail(x, status, why);
		return;
	}
	worker_count(x->worker, SCOREBOARD_UP_RETRIES);
	let_go_of_upstream(x, false);
	loop_defer_cancel(x->worker->loop, &x->again);
	x->sent = false;
	if (x->state != EXCHANGE_QUEUED)
		exchange_enter(x, EXCHANGE_QUEUED);
	connect_to_service(x);
}

bool
exchange_settle_status(struct exchange *x, unsigned status)
{
	if (!x->ticket.is_open ||
	    (status != 502 && status != 503 && status != 504))
		return true;
	count(x, SCOREBOARD_SERVICE_FAILURES);
	return breakers_report(
	    x->worker->breakers, &x->ticket, true, "bad status");
}

void
exchange_complete(struct exchange *x, const char *data, size_t len)
{
	struct upstream *up = x->up;
	unsigned status = message_status(&up->message);
	bool keep;

	/* Nothing may be left over on a connection that is used again: read,
	 * or not yet, with no event to come. */
	keep = up->message.keep_alive && x->request_ended && !up->io.hangup &&
	       !up->io.broken && !up->io.readable && buffer_len(up->in) == 0;
	(void)breakers_report(x->worker->breakers, &x->ticket, false, NULL);
	if (status == 502 || status == 503 || status == 504)
		endpoint_failed(up->endpoint, "bad status", false);
	else
		endpoint_worked(up->endpoint);
	client_end_task(x->client);
	/* The piece lies in the connection's buffer: write, then let go. */
	session_write(x->client->session, data, len, true);
	end(x, keep);
}

/* ---- on the way ---- */

static void
on_upstream(void *arg, struct upstream *up, enum upstream_event event)
{
	struct exchange *x = arg;

	/* It has answered; what else it does is seen when that goes on. */
	if (x->settling)
		return;
	switch (event) {
	case UPSTREAM_READY:
		if (x->state == EXCHANGE_CONNECTING)
			exchange_send(x);
		else
			exchange_take_body(x);
		if (x->state == EXCHANGE_STREAMING)
			exchange_receive(x);
		break;
	case UPSTREAM_FAILED:
		exchange_try_failed(x, 502,
		    x->state == EXCHANGE_CONNECTING
			? (up->error == ECONNREFUSED ? "connection refused"
						     : "can't be reached")
			: "connection lost");
		break;
	case UPSTREAM_TIMEOUT:
		exchange_try_failed(x, 504,
		    x->state == EXCHANGE_CONNECTING ? "connect timed out"
						    : "timed out");
		break;
	}
}

static void
take_connection(struct exchange *x, struct upstream *up)
{
	x->up = up;
	endpoint_begin(up->endpoint);
	upstream_set_owner(up, on_upstream, x);
	message_init_response(
	    &up->message, EXCHANGE_RESPONSE_HEAD_MAX, x->head_method);
	if (up->state == UPSTREAM_CONNECTING) {
		exchange_enter(x, EXCHANGE_CONNECTING);
		upstream_set_deadline(
		    up, x->service->config->timeouts.connect_us);
	} else {
		exchange_send(x);
	}
}

/* Then it is not the backend that fails. */
static bool
is_our_shortage(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOBUFS ||
	       error == ENOMEM;
}

static void
on_connection(void *arg, enum pool_result result, struct upstream *up)
{
	struct exchange *x = arg;

	switch (result) {
	case POOL_LENT:
		take_connection(x, up);
		break;
	case POOL_WAITING:
		break;
	case POOL_SHED:
		shed(x);
		break;
	case POOL_NO_ENDPOINT:
		if (x->service->endpoint_count == 0)
			fail(x, 502, "its name has no address");
		else
			end_with_error(x, 503, "all endpoints are drained", 1);
		break;
	case POOL_FAILED:
		if (is_our_shortage(errno))
			end_with_error(
			    x, 503, "out of descriptors or memory", 1);
		else
			exchange_try_failed(x, 502, "can't be reached");
		break;
	}
}

static void
connect_to_service(struct exchange *x)
{
	struct upstream *up = NULL;
	enum pool_result result = pool_acquire(&x->wait, &up);

	on_connection(x, result, up);
}

static void
on_admission(void *arg, bool admitted)
{
	struct exchange *x = arg;

	if (!admitted) {
		reject(x);
		return;
	}
	exchange_enter(x, EXCHANGE_QUEUED);
	connect_to_service(x);
}

static int
build_head(struct exchange *x, const struct config_route *route)
{
	struct session *s = x->client->session;
	char peer[SOCK_TEXT_MAX];
	struct forward_request request = {
	    .message = session_request(s),
	    .route = route,
	    .peer = sock_host_str(session_peer(s), peer),
	    .host = x->service->config->name,
	};
	struct text out;

	text_init(&out, x->head->data, BUFFER_BYTES);
	forward_request(&out, &request);
	x->head->end = (uint32_t)out.len;
	return text_is_full(&out) ? -1 : 0;
}

static void
on_again(void *arg)
{
	exchange_receive(arg);
}

static struct exchange *
exchange_new(struct client *client, const struct config_route *route)
{
	struct worker *w = client->worker;
	const struct message *m = session_request(client->session);
	struct exchange *x = calloc(1, sizeof(*x));
	char peer[SOCK_TEXT_MAX];

	if (x == NULL)
		return NULL;
	x->head = buffer_get(w->buffers);
	if (x->head == NULL) {
		free(x);
		return NULL;
	}
	x->task.ops = &ops;
	x->worker = w;
	x->client = client;
	x->service = w->services[route->service];
	x->state = EXCHANGE_ADMISSION;
	x->head_method = m->parser.method == HTTP_HEAD;
	x->idempotent = message_is_idempotent(m);
	x->chunked = m->chunked;
	x->request_ended = !message_has_body(m);
	breakers_ticket_init(&x->ticket, on_admission, on_settled, x);
	loop_deferred_init(&x->again, on_again, x);
	pool_wait_init(&x->wait, x->service->pool, on_connection, x);
	affinity_of_request(&x->wait.affinity, x->service->config, m,
	    sock_host_str(session_peer(client->session), peer));
	x->wait.careful = !x->idempotent || !x->request_ended;
	return x;
}

void
exchange_start(struct client *client, const struct config_route *route)
{
	struct exchange *x = exchange_new(client, route);

	if (x == NULL) {
		session_reply_error(
		    client->session, 503, "out of memory for requests");
		return;
	}
	if (build_head(x, route) == -1) {
		buffer_put(x->worker->buffers, x->head);
		free(x);
		session_reply_error(
		    client->session, 431, "request head too large");
		return;
	}
	client_begin_task(client, &x->task);
	count(x, SCOREBOARD_SERVICE_REQUESTS);
	scoreboard_gauge(
	    &x->worker->slot->service_in_flight[x->service->index], 1);
	service_begin(x->service);
	switch (breakers_check(
	    x->worker->breakers, x->service->index, &x->ticket)) {
	case BREAKERS_ADMITTED:
		on_admission(x, true);
		break;
	case BREAKERS_REJECTED:
		reject(x);
		break;
	case BREAKERS_ASKING:
		break;
	}
}
