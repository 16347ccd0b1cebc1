#include "request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "clock.h"
#include "origin.h"
#include "reply.h"
#include "route.h"

/* For the access log only: nginx's "client closed request". */
#define GONE_STATUS 499

void
requests_init(struct requests *all, struct runtime *rt,
    const struct route_table *routes, const struct chain_table *chains)
{
	*all = (struct requests){
	    .runtime = rt, .routes = routes, .chains = chains};
	slab_init(
	    &all->slab, sizeof(struct request) + chain_state_bytes(chains));
}

void
requests_fini(struct requests *all)
{
	slab_fini(&all->slab);
}

/* ---- recording ---- */

/* Copies with a NUL, and a mark when the text was cut. cap: 4 at least. Returns
 * the length. */
static size_t
copy_cut(char *to, size_t cap, struct slice from)
{
	size_t len = from.len;

	CHECK(cap >= 4);
	if (len >= cap)
		len = cap - 1;
	if (from.at != NULL)
		memcpy(to, from.at, len);
	to[len] = '\0';
	if (len < from.len)
		memcpy(to + len - 3, "...", 3);
	return len;
}

void
request_note_fields(
    struct request *r, const struct head *head, bool is_response)
{
	const struct config_log_field *wanted = r->runtime->config->log.fields;

	for (size_t i = 0; i < r->text->field_count; i++) {
		struct record_field *field = &r->text->fields[i];
		struct slice value;

		if (wanted[i].is_of_response != is_response)
			continue;
		value = head_value(head, wanted[i].name);
		field->is_there = value.at != NULL;
		copy_cut(field->value, sizeof(field->value), value);
	}
}

/* Memory for the texts; no field is there. NULL: no memory. */
static struct request_text *
new_text(size_t field_count)
{
	struct request_text *text =
	    malloc(sizeof(*text) + field_count * sizeof(text->fields[0]));

	if (text == NULL)
		return NULL;
	text->field_count = field_count;
	for (size_t i = 0; i < field_count; i++)
		text->fields[i].is_there = false;
	return text;
}

/* Copies the request's text for the access log. */
static void
note_request(struct request *r, const struct head *head)
{
	struct request_text *text =
	    new_text(r->runtime->config->log.field_count);
	const char *version = head->minor == 0 ? " HTTP/1.0" : " HTTP/1.1";
	size_t room = sizeof(text->line) - strlen(version), len;

	r->record.head_in = (uint32_t)stream_head_bytes(r->stream);
	if (text == NULL)
		return;
	r->text = text;
	len = copy_cut(text->line, room, head_method(head));
	text->line[len++] = ' ';
	len += copy_cut(text->line + len, room - len, head->path);
	memcpy(text->line + len, version, strlen(version) + 1);
	r->record.request = text->line;
	if (head->host.at != NULL) {
		copy_cut(text->host, sizeof(text->host), head->host);
		r->record.host = text->host;
	}
	if (text->field_count != 0)
		request_note_fields(r, head, false);
}

/* Finds the client behind a trusted proxy. */
static void
find_client(struct request *r)
{
	const struct config *config = r->runtime->config;
	const struct origin_trust trust = {
	    config->client.trusted, config->client.trusted_count};
	const struct stream *s = r->stream;

	if (origin_of_request(&r->origin, &trust, s->peer, s->head))
		r->client = &r->origin;
}

struct request *
request_new(struct requests *all, struct stream *stream)
{
	struct request *r = slab_get(&all->slab);

	if (r == NULL)
		return NULL;
	r->all = all;
	r->runtime = all->runtime;
	r->stream = stream;
	r->client = stream->peer;
	if (r->runtime->config->client.trusted_count != 0)
		find_client(r);
	r->route = NULL;
	r->begun = 0;
	r->over = false;
	r->cut = false;
	r->ticket = NULL;
	r->text = NULL;
	r->trace.id[0] = '\0';
	record_init(&r->record);
	if (all->log != NULL)
		note_request(r, stream->head);
	return r;
}

static void
free_request(void *p)
{
	struct request *r = p;

	slab_put(&r->all->slab, r);
}

/* Stages may still be at work in the request's memory. */
static void
drop(struct request *r)
{
	free(r->text);
	r->text = NULL;
	loop_bury(r->runtime->loop, r, free_request);
}

static void
log_record(struct requests *all, const struct sock_host *client,
    struct record *record, const struct record_field *fields,
    enum stream_end why)
{
	char text[SOCK_TEXT_MAX];

	record->client = sock_host_str(client, text);
	if (record->end == NULL)
		record->end = stream_end_word(why);
	request_hooks.log(all->log, record, fields);
}

static void
log_request(
    struct request *r, unsigned status, uint64_t bytes_out, enum stream_end why)
{
	const struct stream *s = r->stream;

	if (r->all->log == NULL)
		return;
	if (s->refusal != NULL)
		r->record.reason = s->refusal->reason;
	r->record.status = (uint16_t)status;
	r->record.bytes_in = s->in_bytes;
	r->record.bytes_out = bytes_out;
	r->record.total_us = clock_ns() / 1000 - s->begun_us;
	log_record(r->all, r->client, &r->record,
	    r->text != NULL ? r->text->fields : NULL, why);
}

/* A refused request has a response, and perhaps a line, up to the first NUL. */
static void
log_refusal(struct requests *all, const struct stream *s)
{
	struct record record;
	char line[REQUEST_LINE_MAX];

	if (all->log == NULL)
		return;
	record_init(&record);
	if (s->refusal != NULL) {
		record.reason = s->refusal->reason;
		if (s->refusal->line.at != NULL) {
			copy_cut(line, sizeof(line), s->refusal->line);
			record.request = line;
		}
	}
	record.status = (uint16_t)s->status;
	record.head_in = (uint32_t)stream_head_bytes(s);
	record.bytes_out = s->out_bytes;
	record.id = s->id.at;
	log_record(all, s->peer, &record, NULL, s->why);
}

void
request_note_reason(struct request *r, const char *reason)
{
	if (r->text == NULL)
		return;
	strlcpy(r->text->reason, reason, sizeof(r->text->reason));
	r->record.reason = r->text->reason;
}

/* The worker's activity, "GET /path", for reports of a stall. The query is
 * private and stays out. A request that blocked the iteration keeps the blame:
 * the delay is logged at the iteration's end. */
static void
note_activity(struct runtime *rt, const struct head *head)
{
	struct scoreboard_slot *slot = rt->slot;
	const struct slice method = head_method(head);
	const struct slice path = head_path_only(head);
	struct text activity;
	size_t len = path.len;

	if (rt->blocked_us == loop_now_us(rt->loop))
		return;
	text_init(&activity, slot->activity, sizeof(slot->activity));
	text_add(&activity, method.at, method.len);
	text_add(&activity, " ", 1);
	if (len > activity.cap - activity.len)
		len = activity.cap - activity.len;
	text_add(&activity, path.at, len);
	atomic_store_explicit(
	    &slot->activity_len, (uint32_t)activity.len, memory_order_release);
}

void
request_describe(const struct request *r, char *text, size_t cap)
{
	snprintf(text, cap, "route %s, request %s",
	    r->route != NULL ? r->route->path : "(none)",
	    r->trace.id[0] != '\0' ? r->trace.id : "(unnamed)");
}

/* ---- through the chain ---- */

static enum stage_verdict
run(struct request *r)
{
	enum stage_verdict verdict = STAGE_NEXT;

	while (verdict == STAGE_NEXT && r->begun < r->chain->count) {
		const struct chain_link *link = &r->chain->links[r->begun++];

		verdict = link->stage->begin(r, r->states + link->offset);
	}
	return verdict;
}

void
request_resume(struct request *r)
{
	if (!r->over && run(r) == STAGE_DONE && !r->over)
		stream_pin_head(r->stream, false);
}

/* The response has the name as well, whoever answers. */
static void
give_name(struct request *r)
{
	trace_of_request(&r->trace, r->runtime->trace, r->stream->head);
	r->record.id = r->trace.id;
	stream_name(r->stream, (struct slice){r->trace.id, r->trace.id_len});
}

void
requests_name_refusal(struct requests *all, struct stream *s)
{
	struct trace *trace = &all->refusal;

	if (s->head != NULL) {
		trace_of_request(trace, all->runtime->trace, s->head);
	} else {
		trace_new_id(all->runtime->trace, trace->id);
		trace->id_len = TRACE_NEW_ID_LEN;
	}
	stream_name(s, (struct slice){trace->id, trace->id_len});
}

void
request_start(struct request *r)
{
	struct runtime *rt = r->runtime;
	const struct head *head = r->stream->head;

	runtime_count(rt, SCOREBOARD_REQUESTS);
	counter_gauge(&rt->slot->in_flight, 1);
	note_activity(rt, head);
	give_name(r);
	r->methods = 0;
	if (route_find(r->all->routes, head, &r->route, &r->methods) !=
	    ROUTE_FOUND)
		r->route = NULL;
	else
		r->record.route = r->route->path;
	r->chain = chain_of(r->all->chains, r->route);
	if (run(r) == STAGE_WAIT)
		stream_pin_head(r->stream, true);
}

/* The stage that began last: no stage behind it has begun. */
void
request_on_body(struct request *r, const struct stream_piece *piece)
{
	const struct chain_link *link = &r->chain->links[r->begun - 1];

	if (!r->over && link->stage->on_body != NULL)
		link->stage->on_body(r, r->states + link->offset, piece);
}

void
request_on_drained(struct request *r)
{
	const struct chain_link *link = &r->chain->links[r->begun - 1];

	if (!r->over && link->stage->on_drained != NULL)
		link->stage->on_drained(r, r->states + link->offset);
}

void
request_on_left(struct request *r)
{
	const struct chain_link *link = &r->chain->links[r->begun - 1];

	if (!r->over && link->stage->on_left != NULL)
		link->stage->on_left(r, r->states + link->offset);
}

/* Service names and texts of Drover alone, and an id of trace.h: nothing needs
 * escaping. */
void
request_fail(struct request *r, const struct request_failure *failure,
    unsigned retry_after_s)
{
	char body[256 + TRACE_ID_MAX], seconds[12];
	const struct field retry_after[] = {
	    {"Retry-After", seconds}, {NULL, NULL}};
	int len;

	r->record.end = failure->word;
	snprintf(seconds, sizeof(seconds), "%u", retry_after_s);
	len = snprintf(body, sizeof(body),
	    "{\"error\":\"service %s: %s\",\"status\":%u,\"requestId\":\"%s\"}",
	    r->record.service, failure->text, failure->status, r->trace.id);
	reply_send(
	    r->stream, &(struct reply){
			   .status = failure->status,
			   .type = "application/json",
			   .fields = retry_after_s != 0 ? retry_after : NULL,
			   .body = body,
			   .len = (size_t)len,
			   .no_store = true,
		       });
}

/* ---- the end ---- */

/* The clock starts at the request's head: an earlier refusal has no
 * duration. */
static void
end_request(struct request *r, unsigned status, enum scoreboard_code code,
    uint64_t bytes_out, enum stream_end why)
{
	struct runtime *rt = r->runtime;
	unsigned series = r->route != NULL ? r->route->series : 0;

	endings_add(&rt->endings,
	    &rt->durations[series * SCOREBOARD_CODE_COUNT + code],
	    r->stream->begun_us);
	log_request(r, status, bytes_out, why);
}

static bool
has_left(const struct stream *s)
{
	return s->why == STREAM_END_PEER || s->why == STREAM_END_RESET;
}

static void
end_stages(struct request *r)
{
	r->over = true;
	for (unsigned i = r->begun; i-- > 0;) {
		const struct chain_link *link = &r->chain->links[i];

		if (link->stage->end != NULL)
			link->stage->end(r, r->states + link->offset);
	}
}

void
request_on_response_end(struct requests *all, const struct stream *s,
    struct request *r, bool complete)
{
	struct runtime *rt = all->runtime;
	enum scoreboard_code code = scoreboard_code_of(s->status);

	/* Without a request, the connection has answered by itself. */
	if (r == NULL) {
		runtime_count(rt, SCOREBOARD_REQUESTS);
	} else {
		if (!complete && has_left(s))
			runtime_count(rt, SCOREBOARD_CLIENT_ABORTS);
		/* Also after a refusal by the connection in mid-body. */
		end_stages(r);
		counter_gauge(&rt->slot->in_flight, -1);
	}
	if (s->refused)
		runtime_count(rt, SCOREBOARD_BAD_REQUESTS);
	runtime_count(rt, SCOREBOARD_RESPONSES_1XX + code);
	if (complete && r == NULL) {
		log_refusal(all, s);
	} else if (complete) {
		end_request(r, s->status, code, s->out_bytes, s->why);
		drop(r);
	} else if (r != NULL) {
		/* The reason is known at the connection's close, which is
		 * next. */
		r->cut = true;
	}
}

void
request_on_close(struct request *r, enum stream_end reason)
{
	struct runtime *rt = r->runtime;

	if (!r->over) {
		runtime_count(rt, SCOREBOARD_CLIENT_ABORTS);
		end_stages(r);
	}
	if (r->cut) {
		end_request(r, r->stream->status,
		    scoreboard_code_of(r->stream->status), r->stream->out_bytes,
		    reason);
	} else {
		/* The client left before a response began. */
		counter_gauge(&rt->slot->in_flight, -1);
		end_request(r, GONE_STATUS, SCOREBOARD_CODE_499, 0, reason);
	}
	drop(r);
}
