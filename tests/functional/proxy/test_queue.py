"""Goal: requests over a pool's cap wait in a bounded queue. Requests over the
queue's cap, or waiting too long, are shed with 503 at once."""

import re
import threading
import time

from harness import in_parallel, route, service, wait_for


class Gate:
    """A backend that answers when the gate opens."""

    def __init__(self):
        self.open = threading.Event()
        self.inside = 0
        self.most = 0
        self.lock = threading.Lock()

    def handle(self, connection):
        while connection.read_request() is not None:
            with self.lock:
                self.inside += 1
                self.most = max(self.most, self.inside)
            self.open.wait(10)
            with self.lock:
                self.inside -= 1
            connection.reply("ok")


def start(drover, backend, gate, **pool):
    b = backend(gate.handle)
    return drover(workers=1, routes=[route("/", "b")],
                  services=[service("b", b.address, pool=pool)])


def take_the_connection(d, gate):
    """A request that is answered when the gate opens."""
    first = threading.Thread(target=lambda: d.get("/"))
    first.start()
    wait_for(lambda: gate.inside == 1, "the connection is taken")
    return first


def test_full_queue(drover, backend):
    gate = Gate()
    d = start(drover, backend, gate, connections=2, queue=3)
    results = []
    waiters = [threading.Thread(target=lambda: results.append(d.get("/")))
               for _ in range(5)]
    for t in waiters:
        t.start()
    d.wait_in_flight(5)
    wait_for(lambda: gate.inside == 2, "two have got through")
    shed = d.get("/")
    assert shed.status == 503 and shed.json()["status"] == 503
    assert int(shed.headers["retry-after"]) >= 1
    gate.open.set()
    for t in waiters:
        t.join()
    assert [r.status for r in results] == [200] * 5
    assert gate.most == 2
    assert d.total("upstream_shed") == 1


def test_wait_is_bounded(drover, backend):
    gate = Gate()
    d = start(drover, backend, gate, connections=1, queue=10,
              queue_timeout="150ms")
    first = take_the_connection(d, gate)
    for response in in_parallel(3, lambda i: d.get("/")):
        assert response.status == 503
        assert response.headers["content-type"] == "application/json"
    gate.open.set()
    first.join()
    assert d.get("/").status == 200


LATE = {"queue_target": "40ms", "queue_interval": "1s"}
BEGINS = r"service b: overloaded, requests are refused: .*queue_target"
ENDS = r"service b: overload is over: (\d+) requests refused"


def test_a_standing_queue_is_shed(drover, backend):
    """Long before queue_timeout. In the log: the first, and the number."""
    gate = Gate()
    d = start(drover, backend, gate, connections=1, queue_timeout="60s", **LATE)
    first = take_the_connection(d, gate)
    responses = in_parallel(4, lambda i: d.get("/"))
    assert [r.status for r in responses] == [503] * 4
    assert all("overloaded" in r.json()["error"] for r in responses)
    assert all(int(r.headers["retry-after"]) >= 1 for r in responses)
    # As long as requests come, and are not served.
    for _ in range(3):
        assert d.get("/").status == 503
    gate.open.set()
    first.join()
    d.wait_log(ENDS)
    assert d.get("/").status == 200
    assert d.count_log(BEGINS) == 1
    assert [int(n) for n in re.findall(ENDS, d.log())] == [7]
    assert d.service("b")["failures"] == 0


def test_a_short_delay_is_no_overload(drover, backend):
    """Four wait for longer than the target, but not for the interval."""
    gate = Gate()
    d = start(drover, backend, gate, connections=1,
              queue_target="40ms", queue_interval="60s")
    first = take_the_connection(d, gate)
    results = []
    waiters = [threading.Thread(target=lambda: results.append(d.get("/")))
               for _ in range(4)]
    for t in waiters:
        t.start()
    d.wait_in_flight(5)
    begin = time.monotonic()
    wait_for(lambda: time.monotonic() > begin + 0.1, "the target is past")
    gate.open.set()
    for t in [first, *waiters]:
        t.join()
    assert [r.status for r in results] == [200] * 4
    assert d.count_log("overload") == 0


def test_any_refusal_is_in_the_log(drover, backend):
    gate = Gate()
    d = start(drover, backend, gate, connections=1, queue=0,
              queue_interval="200ms")
    first = take_the_connection(d, gate)
    for _ in range(5):
        assert d.get("/").status == 503
    d.wait_log(ENDS)
    assert d.count_log(r"overloaded, requests are refused: pool.queue is "
                       "full; 1 connections in use") >= 1
    assert sum(int(n) for n in re.findall(ENDS, d.log())) == 5
    gate.open.set()
    first.join()


def test_the_number_is_told_at_a_stop(drover, backend):
    gate = Gate()
    d = start(drover, backend, gate, connections=1, queue=0,
              queue_interval="60s")
    first = take_the_connection(d, gate)
    assert d.get("/").status == 503
    gate.open.set()
    first.join()
    d.stop()
    d.wait_log("service b: overloaded to the end: 1 requests refused")


def test_each_waits_for_its_own_time(drover, backend):
    """Neither shorter nor forever after an earlier request has left."""
    gate = Gate()
    d = start(drover, backend, gate, connections=1, queue=10,
              queue_timeout="150ms")
    first = take_the_connection(d, gate)
    leaver = d.raw()
    leaver.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    waited = []

    def wait():
        begin = time.monotonic()
        assert d.get("/").status == 503
        waited.append(time.monotonic() - begin)

    waiters = [threading.Thread(target=wait) for _ in range(2)]
    for t in waiters:
        t.start()
    # On a busy machine some have been shed before all are seen together.
    wait_for(lambda: d.in_flight() == 4 or d.total("upstream_shed") > 0,
             "all wait")
    leaver.reset()
    for t in waiters:
        t.join()
    assert len(waited) == 2 and min(waited) >= 0.15
    gate.open.set()
    first.join()


def test_a_client_that_leaves_gives_up_its_place(drover, backend):
    gate = Gate()
    d = start(drover, backend, gate, connections=1, queue=2)
    first = take_the_connection(d, gate)
    leavers = [d.raw() for _ in range(2)]
    for c in leavers:
        c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    d.wait_in_flight(3)
    assert d.get("/").status == 503
    for c in leavers:
        c.reset()
    d.wait_in_flight(1)
    results = []
    second = threading.Thread(target=lambda: results.append(d.get("/")))
    second.start()
    d.wait_in_flight(2)
    gate.open.set()
    first.join()
    second.join()
    assert results[0].status == 200
