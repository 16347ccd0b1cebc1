#include "exchange_response.h"

#include <strings.h>

#include "affinity.h"
#include "forward.h"

/* The cookie that ties the client to this endpoint, for a client without the
 * cookie. */
static void
add_sticky(struct exchange *x, struct fields *fields)
{
	const struct config_service *config = x->service->config;
	uint64_t endpoint;

	if (config->sticky_cookie == NULL)
		return;
	endpoint = x->up->endpoint->number;
	if (endpoint != x->wait.affinity.sticky)
		affinity_add_cookie(fields, config, endpoint);
}

/* The client's side of a report finds the log's side by the id. */
static void
add_id(const struct exchange *x, struct fields *fields)
{
	fields_add_slice(fields, "X-Request-Id", x->front->id);
}

static void
note_first_byte(struct exchange *x)
{
	uint64_t us = exchange_lap_us(x);

	x->request->record.first_byte_us = us;
	request_note_response(x->request, x->up->back.stream.head);
	duration_add(&x->service->waits[SCOREBOARD_WAIT_FIRST_BYTE], us);
}

static struct stream_start
start_of(const struct exchange *x, const struct head *h)
{
	struct stream_start start = {
	    .status = h->status,
	    .reason = h->reason,
	    .length = h->has_length ? h->length : STREAM_LENGTH_UNKNOWN,
	    .no_body = x->front->head->method == HTTP_HEAD,
	    .no_date = h->has_date,
	};

	if (start.reason.at == NULL)
		start.reason.at = "";
	return start;
}

static void
report_success(struct exchange *x)
{
	(void)breakers_report(
	    x->runtime->breakers, x->request->ticket, false, NULL);
}

void
exchange_response_begin(struct exchange *x)
{
	const struct head *h = x->up->back.stream.head;
	struct stream_start start = start_of(x, h);
	struct fields *fields = stream_begin(x->front, &start);

	note_first_byte(x);
	replay_drop(&x->replay);
	/* The service works: other requests need not wait for a long body's
	 * end. */
	if (x->request->ticket->admission.is_probe)
		report_success(x);
	/* A body not asked for by now is not needed. */
	loop_timer_clear(x->runtime->loop, &x->continue_timer);
	forward_response(fields, h, x->front->sends_trailers);
	add_id(x, fields);
	add_sticky(x, fields);
}

/* RFC 9110 section 15.2. */
static enum exchange_head
pass_interim(struct exchange *x, const struct head *h)
{
	struct fields *fields =
	    stream_begin_interim(x->front, h->status, h->reason);

	if (fields != NULL) {
		forward_interim(fields, h);
		stream_send_interim(x->front);
	}
	return h->status == 100 && x->outgoing.state == PUMP_HELD
		   ? EXCHANGE_HEAD_CONTINUE
		   : EXCHANGE_HEAD_PASSED;
}

static bool
is_offered(const struct exchange *x, struct slice protocol)
{
	struct slice list = x->protocols, what;

	while ((what = head_next_element(&list)).at != NULL)
		if (what.len == protocol.len &&
		    strncasecmp(what.at, protocol.at, what.len) == 0)
			return true;
	return false;
}

/* The client asked for each protocol that the backend names: there may be
 * several, in layers (RFC 9110 section 7.8). */
static bool
may_switch(const struct exchange *x, const struct head *h)
{
	struct slice list, what;

	for (size_t i = 0; i < h->field_count; i++) {
		if (h->fields[i].id != FIELD_UPGRADE)
			continue;
		list = h->fields[i].value;
		while ((what = head_next_element(&list)).at != NULL)
			if (head_is_protocol(what) && !is_offered(x, what))
				return false;
	}
	return true;
}

static enum exchange_head
switch_protocols(struct exchange *x, const struct head *h)
{
	struct stream_start start = start_of(x, h);
	struct fields *fields;

	/* A length in the head says nothing of the tunnel's bytes. */
	start.length = STREAM_LENGTH_UNKNOWN;
	fields = stream_begin(x->front, &start);
	/* No memory for the head: the connection closes, and so ends the
	 * exchange. */
	if (!stream_is_answerable(x->front))
		return EXCHANGE_HEAD_PASSED;
	forward_switch(fields, h);
	add_id(x, fields);
	add_sticky(x, fields);
	replay_drop(&x->replay);
	note_first_byte(x);
	report_success(x);
	endpoint_worked(x->up->endpoint);
	back_switch(&x->up->back);
	stream_write(x->front, &(struct stream_piece){.len = 0});
	return EXCHANGE_HEAD_SWITCHED;
}

static enum exchange_head
answer_switch(struct exchange *x, const struct head *h)
{
	if (!may_switch(x, h))
		return EXCHANGE_HEAD_UNASKED;
	if (!pump_has_ended(&x->outgoing))
		return EXCHANGE_HEAD_EARLY;
	return pool_set_tunnel(x->up) ? switch_protocols(x, h)
				      : EXCHANGE_HEAD_CROWDED;
}

enum exchange_head
exchange_response_settle(struct exchange *x)
{
	const char *why = failure_row(FAILURE_BAD_STATUS)->text;

	endpoint_failed(x->up->endpoint, why, 0, false);
	exchange_count(x, SCOREBOARD_SERVICE_FAILURES);
	if (x->request->ticket->is_open &&
	    !breakers_report(
		x->runtime->breakers, x->request->ticket, true, why)) {
		pump_hold(&x->incoming);
		return EXCHANGE_HEAD_SETTLES;
	}
	exchange_response_begin(x);
	return EXCHANGE_HEAD_PASSED;
}

enum exchange_head
exchange_response_on_head(struct exchange *x)
{
	const struct head *h = x->up->back.stream.head;

	if (h->status == 101)
		return answer_switch(x, h);
	if (head_is_interim(h))
		return pass_interim(x, h);
	if (exchange_is_bad(h->status))
		return EXCHANGE_HEAD_BAD;
	exchange_response_begin(x);
	return EXCHANGE_HEAD_PASSED;
}

/* The last piece of a chunked body, with the trailers that may pass. */
static void
pass_last(struct exchange *x, const struct stream_piece *piece)
{
	struct buffer_pool *pool = x->runtime->buffers;
	struct stream_piece last = *piece;
	struct buffer *b = buffer_get(pool);
	struct fields f;

	fields_init(&f, NULL, 0);
	if (b != NULL) {
		fields_init(&f, b->data, BUFFER_BYTES);
		forward_trailers(&f, x->up->back.stream.head, piece->trailers);
	}
	last.trailers = (struct slice){f.lines.data, f.lines.len};
	pump_on_piece(&x->incoming, &last);
	buffer_put(pool, b);
}

/* The response has been read whole. */
static void
complete(struct exchange *x, const struct stream_piece *piece)
{
	report_success(x);
	if (!exchange_is_bad(x->up->back.stream.head->status))
		endpoint_worked(x->up->endpoint);
	/* The endpoint is freed first: a client with its response finds a free
	 * endpoint. The piece lies in the connection's buffer: write, then let
	 * go. */
	exchange_leave_endpoint(x);
	if (piece->trailers.len > 0 && x->front->sends_trailers)
		pass_last(x, piece);
	else
		pump_on_piece(&x->incoming, piece);
	if (x->state != EXCHANGE_ENDED)
		exchange_end(x);
}

void
exchange_response_on_piece(struct exchange *x, const struct stream_piece *piece)
{
	if (piece->last && x->state == EXCHANGE_STREAMING)
		complete(x, piece);
	else
		pump_on_piece(&x->incoming, piece);
}
