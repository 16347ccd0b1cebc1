"""Goal: requests over a pool's cap wait in a bounded queue. Requests over the
queue's cap, or waiting too long, are shed with 503 at once."""

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
