/*
 * request_scene - a client of a worker, with the connection of its requests,
 * for the tests of request.h and client.h. The test itself answers and observes
 * the requests.
 */
#ifndef REQUEST_SCENE_H
#define REQUEST_SCENE_H

#include "client_scene.h"

#include "no_route.h"
#include "reply.h"

#define RECORDS_MAX 8

/* ---- what answers and what observes: the test ---- */

struct access_log {
	unsigned count;
	struct record records[RECORDS_MAX];
	char text[RECORDS_MAX][6][256]; /* of what a record points to */
	struct record_field fields[RECORDS_MAX][2];
};

struct test_task {
	struct request *request;
	char body[256];
	size_t len;
	bool ended; /* the body has */
	unsigned drained, ends, aborted;
};

static struct access_log observed;
static struct test_task test_task;
static unsigned started, last_hops;
/* Once /now is answered, in the same iteration of the loop; NULL: nothing. */
static void (*after_now)(void);
static const char *route_path; /* of the request that was started last */

static inline void
answer(struct request *r, unsigned status, const char *type, const char *body)
{
	reply_send(r->stream, &(struct reply){.status = status,
				  .type = type,
				  .body = body,
				  .len = strlen(body)});
}

static inline void
on_body(struct request *r, void *state, const struct stream_piece *piece)
{
	struct test_task *t = *(struct test_task **)state;

	assert_ptr_equal(t->request, r);
	assert_true(t->len + piece->len < sizeof(t->body));
	if (piece->len > 0)
		memcpy(t->body + t->len, piece->data, piece->len);
	t->len += piece->len;
	t->ended = piece->last;
	if (!piece->last)
		stream_take(r->stream);
}

static inline void
on_drained(struct request *r, void *state)
{
	(void)r;
	(*(struct test_task **)state)->drained++;
}

/* Of a request that was not answered. */
static inline void
on_end(struct request *r, void *state)
{
	struct test_task *t = *(struct test_task **)state;

	t->ends++;
	t->aborted +=
	    r->stream->status == 0 || r->stream->why != STREAM_END_DONE;
}

static inline bool
is_now(const struct config_route *route)
{
	return route != NULL && strcmp(route->path, "/now") == 0;
}

static inline enum stage_verdict
begin_now(struct request *r, void *state)
{
	(void)state;
	started++;
	route_path = r->route->path;
	/* As a handler that keeps the loop. */
	if (slice_is(r->stream->head->path, "/now/block"))
		r->runtime->blocked_us = loop_now_us(r->runtime->loop);
	answer(r, 200, "text/plain", "now");
	if (after_now != NULL)
		after_now();
	return STAGE_DONE;
}

static inline bool
is_for_service(const struct config_route *route)
{
	return route != NULL && route->service >= 0;
}

static inline enum stage_verdict
begin_task(struct request *r, void *state)
{
	started++;
	route_path = r->route->path;
	test_task = (struct test_task){.request = r};
	*(struct test_task **)state = &test_task;
	r->record.service = "users";
	request_note_upstream(r, "10.0.0.1:80");
	request_note_upstream(r, "10.0.0.2:80");
	if (head_has_body(r->stream->head))
		stream_take(r->stream);
	return STAGE_DONE;
}

static inline bool
is_wait(const struct config_route *route)
{
	return route != NULL && strcmp(route->path, "/wait") == 0;
}

static struct request *waiting;
static unsigned wait_ends;

static inline enum stage_verdict
begin_wait(struct request *r, void *state)
{
	*(char *)state = 1;
	waiting = r;
	return STAGE_WAIT;
}

static inline void
end_wait(struct request *r, void *state)
{
	assert_ptr_equal(r, waiting);
	assert_int_equal(*(char *)state, 1);
	wait_ends++;
}

static inline bool
is_for_all(const struct config_route *route)
{
	(void)route;
	return true;
}

static inline enum stage_verdict
begin_hop(struct request *r, void *state)
{
	const struct head *m = r->stream->head;

	(void)state;
	if (m->max_forwards != 0 && !slice_is(m->path, "*"))
		return STAGE_NEXT;
	last_hops++;
	answer(r, 200, NULL, "");
	return STAGE_DONE;
}

static const struct stage hop = {
    .name = "hop", .is_for = is_for_all, .begin = begin_hop};
static const struct stage now = {
    .name = "now", .is_for = is_now, .begin = begin_now};
static const struct stage wait = {.name = "wait",
    .is_for = is_wait,
    .state_bytes = 1,
    .begin = begin_wait,
    .end = end_wait};
static const struct stage task = {.name = "task",
    .is_for = is_for_service,
    .state_bytes = sizeof(struct test_task *),
    .begin = begin_task,
    .on_body = on_body,
    .on_drained = on_drained,
    .end = on_end};

const struct stage *const chain_stages[] = {
    &hop, &no_route_stage, &now, &wait, &task, NULL};

static inline const char *
keep(char to[256], const char *text)
{
	if (text == NULL)
		return NULL;
	snprintf(to, 256, "%s", text);
	return to;
}

static inline void
observe(struct access_log *log, const struct record *r,
    const struct record_field *fields)
{
	unsigned i = log->count++;

	assert_ptr_equal(log, &observed);
	assert_in_range(i, 0, RECORDS_MAX - 1);
	log->records[i] = *r;
	log->records[i].request = keep(log->text[i][0], r->request);
	log->records[i].host = keep(log->text[i][1], r->host);
	log->records[i].upstream = keep(log->text[i][2], r->upstream);
	log->records[i].id = keep(log->text[i][3], r->id);
	log->records[i].client = keep(log->text[i][4], r->client);
	log->records[i].reason = keep(log->text[i][5], r->reason);
	if (fields != NULL)
		memcpy(log->fields[i], fields, sizeof(log->fields[i]));
}

const struct request_hooks request_hooks = {.log = observe};

/* ---- from open to close ---- */

static inline int
setup(void **state)
{
	(void)state;
	memset(&observed, 0, sizeof(observed));
	memset(&test_task, 0, sizeof(test_task));
	started = last_hops = wait_ends = 0;
	waiting = NULL;
	after_now = NULL;
	scene_open("services:\n"
		   "- { name: users, endpoints: ['127.0.0.1:9'] }\n"
		   "client: { connections: 2, body: 100 }\n"
		   "log: { fields: [X-A, response:X-A] }\n"
		   "routes:\n"
		   "- { path: /now, handler: health }\n"
		   "- { path: /later, service: users }\n"
		   "- { path: /wait, service: users }\n"
		   "- { path: /get, methods: [GET, HEAD], service: users }\n");
	open_clients(&observed);
	return 0;
}

static inline int
teardown(void **state)
{
	(void)state;
	close_clients();
	scene_close();
	requests_fini(&requests);
	return 0;
}

static inline bool
is_answered(void)
{
	client_look();
	return strstr(said, wanted) != NULL;
}

static inline void
expect(const char *text)
{
	wanted = text;
	scene_wait(is_answered, text);
}

static inline bool
is_started(void)
{
	return started > 0;
}

static inline bool
is_waiting(void)
{
	return waiting != NULL;
}

static inline bool
is_recorded(void)
{
	return observed.count > 0;
}

#define HOST " HTTP/1.1\r\nHost: example.org\r\n"

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
