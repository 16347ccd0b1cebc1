/*
 * stage_scene - a client of a worker with a few stages, for the tests of one
 * stage. The includer has the table of stages, and opens the worker's parts
 * that its stage needs.
 */
#ifndef STAGE_SCENE_H
#define STAGE_SCENE_H

#include "client_scene.h"
#include "record_scene.h"

#include "reply.h"

/* ---- the stage behind: answers "passed" ---- */

static unsigned passed;

static inline bool
is_for_all(const struct config_route *route)
{
	(void)route;
	return true;
}

static inline enum stage_verdict
begin_pass(struct request *r, void *state)
{
	(void)state;
	passed++;
	reply_send(r->stream, &(struct reply){.status = 200,
				  .type = "text/plain",
				  .body = "passed",
				  .len = strlen("passed")});
	return STAGE_DONE;
}

static const struct stage pass_stage __attribute__((unused)) = {
    .name = "pass", .is_for = is_for_all, .begin = begin_pass};

/* ---- from open to close ---- */

/* Behind scene_open(), and the parts of the worker. */
static inline void
open_stages(void)
{
	memset(&observed, 0, sizeof(observed));
	passed = 0;
	open_clients(&observed);
}

static inline void
close_stages(void)
{
	close_clients();
	scene_turn();
	requests_fini(&requests);
}

/* ---- what they say ---- */

static inline bool
has_hung_up(void)
{
	client_look();
	return ended;
}

/* A request on a connection of its own, whose response is in `said`. fields:
 * lines, each with its CRLF. */
static inline const char *
ask(const char *line, const char *fields)
{
	char text[2048];

	if (ended) {
		hang_up();
		connect_client();
	}
	snprintf(text, sizeof(text),
	    "%s HTTP/1.1\r\nHost: example.org\r\nConnection: close\r\n%s\r\n",
	    line, fields);
	say(text);
	WAIT_UNTIL(has_hung_up);
	return said;
}

static inline bool
is_said(void)
{
	client_look();
	return strstr(said, wanted) != NULL;
}

static inline void
expect(const char *text)
{
	wanted = text;
	scene_wait(is_said, text);
}

static inline void
assert_says(const char *text)
{
	if (strstr(said, text) == NULL)
		fail_msg("no \"%s\" in: %s", text, said);
}

static inline void
assert_says_not(const char *text)
{
	if (strstr(said, text) != NULL)
		fail_msg("\"%s\" in: %s", text, said);
}

#endif
