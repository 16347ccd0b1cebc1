#include "fleet.h"

#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "carry.h"
#include "frame.h"
#include "head.h"
#include "net.h"
#include "request.h"

#define BATCH 256
#define READ_BYTES (64ul * 1024)
#define NS 1000000000ull
#define SILENCE_NS (10 * NS) /* then what is awaited will not come */
#define LATE_NS (2 * NS)     /* the time for a rate to catch up */
#define OPENING_MAX 64       /* connections that are opened at a time */
#define FAILURES_MAX 1000    /* then nothing more is sent */

struct conn {
	int fd; /* -1: opened when it is used */
	bool waits_to_send;
	bool is_upgraded;
	bool is_ending;   /* all is answered, the end is still to come */
	unsigned awaited; /* answers */
	uint64_t due_ns;
	uint64_t body_left;
	struct carry in;
	struct carry out;
	STAILQ_ENTRY(conn) link;
};

/* The limits of one fleet_run(). */
struct run {
	unsigned active;
	double rate;
	uint64_t until_ns;
	uint64_t limit; /* batches; UINT64_MAX: none */
	uint64_t started;
};

static const struct plan *plan;
static struct tally *tally;
static struct conn *conns;
static STAILQ_HEAD(, conn) idle = STAILQ_HEAD_INITIALIZER(idle);
static unsigned in_flight;
static uint64_t sends; /* of all runs: the next route and source */
static struct request *batches;
static struct request handshake, message;
static int epoll_fd;
/* Only the start is ever written to: dropped bytes are not copied. */
static char buffer[16 * READ_BYTES];

const char *
failure_str(enum failure failure)
{
	static const char *const names[FAILURES] = {
	    [FAILURE_CONNECT] = "connect",
	    [FAILURE_CLOSED] = "closed",
	    [FAILURE_STATUS] = "status",
	    [FAILURE_LENGTH] = "length",
	    [FAILURE_TIMEOUT] = "timeout",
	};

	return names[failure];
}

uint64_t
tally_failures(const struct tally *t)
{
	uint64_t sum = 0;

	for (int i = 0; i < FAILURES; i++)
		sum += t->failures[i];
	return sum;
}

static uint64_t
now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS + (uint64_t)now.tv_nsec;
}

/* ---- a connection ---- */

static void
conn_drop(struct conn *conn)
{
	if (conn->fd >= 0)
		close(conn->fd);
	conn->fd = -1;
	conn->waits_to_send = conn->is_upgraded = conn->is_ending = false;
	conn->body_left = 0;
	carry_drop(&conn->in);
	carry_drop(&conn->out);
}

static void
conn_idle(struct conn *conn)
{
	conn->awaited = 0;
	in_flight--;
	STAILQ_INSERT_TAIL(&idle, conn, link);
}

static void
conn_fail(struct conn *conn, enum failure failure)
{
	bool was_ending = conn->is_ending;

	conn_drop(conn);
	if (was_ending || conn->awaited > 0) {
		tally->failures[failure] += was_ending ? 1 : conn->awaited;
		conn_idle(conn);
	} else if (failure == FAILURE_CLOSED) {
		tally->reopened++;
	} else {
		tally->failures[failure]++;
	}
}

static void
conn_watch(struct conn *conn)
{
	bool to_send = conn->out.len > 0;
	struct epoll_event event = {
	    .events = EPOLLIN | (to_send ? EPOLLOUT : 0), .data.ptr = conn};

	if (conn->waits_to_send == to_send)
		return;
	conn->waits_to_send = to_send;
	if (epoll_ctl(epoll_fd, EPOLL_CTL_MOD, conn->fd, &event) != 0)
		err(1, "epoll_ctl");
}

static int
conn_open(struct conn *conn)
{
	struct sockaddr_in from = {.sin_family = AF_INET};

	from.sin_addr.s_addr =
	    htonl(INADDR_LOOPBACK + 1 + (uint32_t)(sends % plan->sources));
	conn->fd = net_connect(&plan->target, &from);
	if (conn->fd < 0)
		return -1;
	net_watch(epoll_fd, conn->fd, EPOLLIN, conn);
	return 0;
}

static void
conn_send(struct conn *conn, const struct request *request)
{
	struct iovec part = {request->text, request->len};

	if (carry_write(&conn->out, conn->fd, &part, 1) != 0)
		conn_fail(conn,
		    errno == ECONNREFUSED ? FAILURE_CONNECT : FAILURE_CLOSED);
	else
		conn_watch(conn);
}

static void
conn_start(struct conn *conn, uint64_t due_ns)
{
	const struct request *request;

	conn->due_ns = due_ns;
	conn->awaited = plan->pipeline;
	in_flight++;
	if (plan->is_websocket)
		request = conn->is_upgraded ? &message : &handshake;
	else
		request = &batches[plan->paths ? sends % plan->paths : 0];
	sends++;
	if (conn->fd < 0 && conn_open(conn) != 0)
		conn_fail(conn, FAILURE_CONNECT);
	else
		conn_send(conn, request);
}

/* ---- responses ---- */

static void
conn_answered(struct conn *conn)
{
	tally->ended_ns = now_ns();
	tally->completed++;
	latency_add(&tally->latency, tally->ended_ns - conn->due_ns);
	if (--conn->awaited > 0)
		return;
	if (plan->closes) {
		conn->is_ending = true;
		return;
	}
	if (plan->reconnects)
		conn_drop(conn);
	conn_idle(conn);
}

/* The end that the request asked for. */
static void
conn_ended(struct conn *conn)
{
	conn_drop(conn);
	conn_idle(conn);
}

/* Each take_*() returns the bytes used, 0: incomplete, -1: failed. */
static ssize_t
fail(struct conn *conn, enum failure failure)
{
	conn_fail(conn, failure);
	return -1;
}

static ssize_t
take_body(struct conn *conn, size_t len)
{
	if (len > conn->body_left)
		len = conn->body_left;
	conn->body_left -= len;
	if (conn->body_left == 0)
		conn_answered(conn);
	return (ssize_t)len;
}

static ssize_t
take_head(struct conn *conn, const char *bytes, size_t len)
{
	size_t head = head_find(bytes, len);

	if (head == 0)
		return 0;
	if (plan->is_websocket) {
		if (head_status(bytes, head) != 101)
			return fail(conn, FAILURE_STATUS);
		conn->is_upgraded = true;
		conn_send(conn, &message);
		return conn->fd < 0 ? -1 : (ssize_t)head;
	}
	if (head_status(bytes, head) != 200)
		return fail(conn, FAILURE_STATUS);
	if (!head_length(bytes, head, &conn->body_left) ||
	    conn->body_left != plan->expect_bytes)
		return fail(conn, FAILURE_LENGTH);
	if (conn->body_left == 0)
		conn_answered(conn);
	return (ssize_t)head;
}

static ssize_t
take_message(struct conn *conn, const char *bytes, size_t len)
{
	struct frame frame;

	if (!frame_parse(&frame, bytes, len))
		return 0;
	if (frame.is_masked || frame.bytes != plan->post_bytes)
		return fail(conn, FAILURE_LENGTH);
	if (len < frame.head_bytes + frame.bytes)
		return 0;
	for (size_t i = 0; i < frame.bytes; i++) {
		if (bytes[frame.head_bytes + i] != 'x')
			return fail(conn, FAILURE_LENGTH);
	}
	conn_answered(conn);
	return (ssize_t)(frame.head_bytes + frame.bytes);
}

/* Uses as many bytes as possible and returns the count; -1: failed. */
static ssize_t
take(struct conn *conn, const char *bytes, size_t len)
{
	size_t done = 0;

	while (done < len && conn->awaited > 0) {
		ssize_t used;

		if (conn->body_left > 0)
			used = take_body(conn, len - done);
		else if (conn->is_upgraded)
			used = take_message(conn, bytes + done, len - done);
		else
			used = take_head(conn, bytes + done, len - done);
		if (used <= 0)
			return used < 0 ? -1 : (ssize_t)done;
		done += (size_t)used;
	}
	if (done < len) /* more than was asked for */
		return fail(conn, FAILURE_LENGTH);
	return (ssize_t)done;
}

static void
conn_take(struct conn *conn, const char *bytes, size_t len)
{
	ssize_t used;

	if (conn->in.len > 0) {
		carry_add(&conn->in, bytes, len);
		used = take(conn, conn->in.bytes, conn->in.len);
		if (used > 0 && conn->in.len > 0)
			carry_cut(&conn->in, (size_t)used);
	} else {
		used = take(conn, bytes, len);
		if (used >= 0 && conn->fd >= 0)
			carry_add(&conn->in, bytes + used, len - (size_t)used);
	}
}

static void
conn_read(struct conn *conn)
{
	/* Most of a big body is never copied: the kernel drops the bytes. */
	bool is_dropped = conn->body_left >= READ_BYTES;
	size_t max = is_dropped ? sizeof buffer : READ_BYTES;
	ssize_t len;

	if (is_dropped && conn->body_left < max)
		max = conn->body_left;
	len = recv(conn->fd, buffer, max, is_dropped ? MSG_TRUNC : 0);
	if (len > 0 && is_dropped)
		take_body(conn, (size_t)len);
	else if (len > 0)
		conn_take(conn, buffer, (size_t)len);
	else if (len == 0 && conn->is_ending)
		conn_ended(conn);
	else if (len == 0 || errno != EAGAIN)
		conn_fail(conn, len < 0 && errno == ECONNREFUSED
				    ? FAILURE_CONNECT
				    : FAILURE_CLOSED);
}

static void
conn_on_event(struct conn *conn, uint32_t events)
{
	if (conn->fd < 0)
		return;
	if (events & EPOLLOUT) {
		if (carry_flush(&conn->out, conn->fd) != 0) {
			conn_fail(conn, FAILURE_CLOSED);
			return;
		}
		conn_watch(conn);
	}
	if (events & ~(uint32_t)EPOLLOUT)
		conn_read(conn);
}

/* ---- all connections ---- */

static uint64_t
run_due_ns(const struct run *run)
{
	return tally->started_ns +
	       (uint64_t)((double)run->started * (double)NS / run->rate);
}

static bool
run_is_over(const struct run *run, uint64_t now)
{
	if (run->started >= run->limit || tally_failures(tally) >= FAILURES_MAX)
		return true;
	return now >= run->until_ns + (run->rate > 0 ? LATE_NS : 0);
}

static void
run_start(struct run *run, uint64_t now)
{
	while (in_flight < run->active && !STAILQ_EMPTY(&idle) &&
	       !run_is_over(run, now)) {
		struct conn *conn = STAILQ_FIRST(&idle);
		uint64_t due = run->rate > 0 ? run_due_ns(run) : now;

		if (due > now)
			return;
		STAILQ_REMOVE_HEAD(&idle, link);
		run->started++;
		conn_start(conn, due);
	}
}

/* Until when only answers are awaited. */
static struct timespec
run_wait(const struct run *run, uint64_t now, uint64_t silent_since)
{
	uint64_t until = silent_since + SILENCE_NS;
	uint64_t wait;

	if (run->rate > 0 && !run_is_over(run, now) && !STAILQ_EMPTY(&idle) &&
	    run_due_ns(run) < until)
		until = run_due_ns(run);
	wait = until > now ? until - now : 0;
	return (struct timespec){
	    .tv_sec = (time_t)(wait / NS), .tv_nsec = (long)(wait % NS)};
}

static void
give_up(void)
{
	for (unsigned i = 0; i < plan->connections; i++) {
		if (conns[i].awaited > 0 || conns[i].is_ending)
			conn_fail(&conns[i], FAILURE_TIMEOUT);
	}
}

static void
drive(struct run *run)
{
	uint64_t now = now_ns(), heard = now;

	tally->started_ns = tally->ended_ns = now;
	run_start(run, now);
	while (in_flight > 0 || !run_is_over(run, now)) {
		struct epoll_event events[BATCH];
		struct timespec wait = run_wait(run, now, heard);
		int count = epoll_pwait2(epoll_fd, events, BATCH, &wait, NULL);

		now = now_ns();
		if (count > 0)
			heard = now;
		for (int i = 0; i < count; i++) {
			conn_on_event(events[i].data.ptr, events[i].events);
			run_start(
			    run, tally->ended_ns > now ? tally->ended_ns : now);
		}
		if (count <= 0) {
			if (in_flight > 0 && now - heard >= SILENCE_NS)
				give_up();
			run_start(run, now);
		}
	}
	if (run->rate > 0 && run->started < run->limit)
		tally->unsent = run->limit - run->started;
}

void
fleet_open(const struct plan *p, struct tally *t)
{
	unsigned texts = p->paths > 0 ? p->paths : 1;
	struct run run = {.until_ns = UINT64_MAX, .limit = p->connections};

	plan = p;
	tally = t;
	run.active = p->active < OPENING_MAX ? p->active : OPENING_MAX;
	/* A request at a rate is due to the microsecond. */
	(void)prctl(PR_SET_TIMERSLACK, 1);
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	conns = calloc(p->connections, sizeof *conns);
	batches = calloc(texts, sizeof *batches);
	if (!conns || !batches)
		err(1, "calloc");
	for (unsigned i = 0; i < texts; i++)
		batches[i] = request_batch(p, i);
	handshake = request_handshake(p);
	message = request_message(p);
	for (unsigned i = 0; i < p->connections; i++) {
		conns[i].fd = -1;
		STAILQ_INSERT_TAIL(&idle, &conns[i], link);
	}
	if (!p->opens_late)
		drive(&run);
}

void
fleet_run(double seconds, uint64_t count, struct tally *t)
{
	struct run run = {
	    .active = plan->active, .rate = plan->rate, .limit = UINT64_MAX};
	uint64_t span = (uint64_t)(seconds * (double)NS);

	tally = t;
	run.until_ns = count > 0 ? UINT64_MAX - LATE_NS : now_ns() + span;
	if (count > 0)
		run.limit = (count + plan->pipeline - 1) / plan->pipeline;
	else if (run.rate > 0)
		run.limit = (uint64_t)(seconds * run.rate);
	drive(&run);
}
