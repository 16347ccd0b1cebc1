#include "upstream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "machine.h"
#include "sock.h"
#include "runtime.h"

static const struct machine_state states[] = {
    [UPSTREAM_CONNECTING] = {"connecting",
	MACHINE_TO(UPSTREAM_LENT) | MACHINE_TO(UPSTREAM_CLOSED)},
    [UPSTREAM_LENT] = {"lent", MACHINE_TO(UPSTREAM_TUNNEL) |
				   MACHINE_TO(UPSTREAM_IDLE) |
				   MACHINE_TO(UPSTREAM_CLOSED)},
    [UPSTREAM_TUNNEL] = {"tunnel", MACHINE_TO(UPSTREAM_CLOSED)},
    [UPSTREAM_IDLE] = {"idle",
	MACHINE_TO(UPSTREAM_LENT) | MACHINE_TO(UPSTREAM_CLOSED)},
    [UPSTREAM_CLOSED] = {"closed", 0},
};

/* False: a bug, and the caller closes the connection, unless closed already. */
static bool
enter(struct upstream *up, enum upstream_state state)
{
	if (!CONFINED(machine_allows(states, up->state, state),
		"upstream %d (%s), %s, to be %s", up->back.io.watch.fd,
		up->endpoint->text, states[up->state].name, states[state].name))
		return false;
	MACHINE_STEP(states, up->state, state, "upstream %d (%s)",
	    up->back.io.watch.fd, up->endpoint->text);
	return true;
}

/* ---- events of the connection ---- */

/* A backend that answers early and closes breaks our writing. The response can
 * still be read, even if the poll has not reported the bytes yet. Before a
 * request has left there is no response. */
static bool
may_have_answered(struct back *b)
{
	if (b->use != BACK_FRESH && !b->io.has_sent)
		return false;
	if (!b->io.readable && io_peek(&b->io) > 0)
		b->io.readable = true;
	return b->io.readable;
}

static void
on_connecting(struct upstream *up)
{
	int error = sock_error(up->back.io.watch.fd);

	if (error != 0) {
		back_fail(&up->back, error);
		return;
	}
	if (!up->back.io.writable || !enter(up, UPSTREAM_LENT))
		return;
	back_tell(&up->back, BACK_CONNECTED);
	back_run(&up->back);
}

static void
on_lent(struct back *b)
{
	if (b->io.broken) {
		back_lose(b);
		if (!may_have_answered(b)) {
			back_fail(b, b->io.error);
			return;
		}
	}
	if (b->stream.out == STREAM_OUT_BEGUN && io_backlog(&b->io) == 0)
		back_tell(b, BACK_DRAINED);
	back_run(b);
}

static void
on_ready(void *arg)
{
	struct upstream *up = arg;

	switch (up->state) {
	case UPSTREAM_CONNECTING:
		on_connecting(up);
		break;
	case UPSTREAM_LENT:
	case UPSTREAM_TUNNEL:
		on_lent(&up->back);
		break;
	case UPSTREAM_IDLE:
		/* An idle connection expects no bytes. */
		if (up->back.io.readable || up->back.io.broken)
			back_fail(&up->back, EPIPE);
		break;
	case UPSTREAM_CLOSED:
		break;
	}
}

static void
on_timer(void *arg)
{
	struct upstream *up = arg;

	back_tell(&up->back, BACK_TIMEOUT);
}

/* ---- from open to close ---- */

struct upstream *
upstream_open(struct endpoint *endpoint)
{
	return upstream_open_at(endpoint, &endpoint->addr);
}

struct upstream *
upstream_open_at(struct endpoint *endpoint, const struct sock_addr *addr)
{
	struct runtime *rt = endpoint->runtime;
	struct upstream *up;
	int fd;

	fd = endpoint_connect(endpoint, addr);
	if (fd == -1)
		return NULL;
	up = calloc(1, sizeof(*up));
	if (up == NULL) {
		close(fd);
		return NULL;
	}
	up->endpoint = endpoint;
	up->state = UPSTREAM_CONNECTING;
	lifetime_begin(&up->lifetime, endpoint->config->pool.max_age_us,
	    endpoint->config->pool.max_requests, loop_now_us(rt->loop),
	    arc4random());
	back_init(&up->back, rt, on_ready, up);
	up->back.head_max = endpoint->config->header_bytes;
	timer_init(&up->timer, on_timer, up);
	if (io_open(&up->back.io, fd, false) == -1) {
		free(up);
		return NULL;
	}
	endpoint_connected(endpoint);
	return up;
}

void
upstream_set_preface(struct upstream *up, struct slice preface)
{
	CHECK(preface.len <= sizeof(up->preface_bytes));
	memcpy(up->preface_bytes, preface.at, preface.len);
	up->preface = (struct slice){up->preface_bytes, preface.len};
	up->back.preface = up->preface;
}

void
upstream_close(struct upstream *up)
{
	struct runtime *rt = up->endpoint->runtime;

	if (!enter(up, UPSTREAM_CLOSED))
		return;
	/* An unsent request may leave on another connection instead. */
	if (!up->back.io.has_sent)
		io_withdraw(&up->back.io);
	io_close(&up->back.io);
	back_end(&up->back);
	loop_timer_clear(rt->loop, &up->timer);
	endpoint_disconnected(up->endpoint);
	loop_bury(rt->loop, up, free);
}

bool
upstream_set_idle(struct upstream *up)
{
	if (!enter(up, UPSTREAM_IDLE))
		return false;
	back_end(&up->back);
	return true;
}

bool
upstream_set_tunnel(struct upstream *up)
{
	return enter(up, UPSTREAM_TUNNEL);
}

bool
upstream_set_lent(struct upstream *up, bool checked)
{
	up->back.use = checked ? BACK_CHECKED : BACK_REUSED;
	return enter(up, UPSTREAM_LENT);
}
