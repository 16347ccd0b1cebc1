"""Goal: while a worker is blocked its neighbours stand in: no client that
connects meanwhile waits."""

import contextlib
import http.client
import os
import signal
import threading

import pytest

from harness import handler, respond, wait_for


def blocked_request(d):
    with contextlib.suppress(OSError, http.client.HTTPException):
        d.get("/block?ms=60000")


@pytest.mark.parametrize("accept", ["reuseport", "shared"])
def test_neighbours_stand_in(drover, accept):
    d = drover(workers=4, accept=accept,
               routes=[respond("/", 1), handler("/block", "cpu_bound")])
    # Far longer than the rest takes: the block ends with its worker.
    blocker = threading.Thread(target=blocked_request, args=(d,))
    blocker.start()
    blocked = wait_for(lambda: [w["pid"] for w in d.cluster()["workers"]
                                if w.get("stalledMs", 0) > 0],
                       "one is blocked")
    for _ in range(200):
        assert d.get("/").status == 200
    assert blocked[0] in [w["pid"] for w in d.cluster()["workers"]
                          if w.get("stalledMs", 0) > 0], "it still is"
    if accept == "reuseport":
        assert d.total("connections_stood_in") > 0
    os.kill(blocked[0], signal.SIGKILL)
    blocker.join()


BLOCK = "GET /block?ms=60000 HTTP/1.1\r\nHost: a\r\n\r\n"
GET = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"


def test_answers_leave_before_it_blocks(drover):
    """Responses of the same iteration of the loop, on the same connection and
    on another, leave before the block."""
    d = drover(workers=1,
               routes=[respond("/", 1), handler("/block", "cpu_bound")])
    worker, = d.workers()
    with d.raw() as other, d.raw() as c:
        other.send(GET)
        assert other.response().status == 200
        c.send(GET)
        assert c.response().status == 200
        os.kill(worker, signal.SIGSTOP)
        other.send(GET)
        c.send(GET + BLOCK)
        os.kill(worker, signal.SIGCONT)
        assert other.response().status == 200
        assert c.response().status == 200
        wait_for(lambda: d.cluster()["workers"][0].get("stalledMs", 0) > 0,
                 "it is blocked")
        os.kill(worker, signal.SIGKILL)


def test_connections_spread_over_workers(drover):
    d = drover(workers=4, routes=[handler("/m", "metrics")])
    seen = {}
    for _ in range(400):
        pid = d.get("/m").json()["pid"]
        seen[pid] = seen.get(pid, 0) + 1
    assert len(seen) == 4
    # The kernel's hash is even: each worker gets a fair part.
    assert min(seen.values()) > 40, seen
