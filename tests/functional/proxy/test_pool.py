"""Goal: connections to backends are reused, and a connection closed by the
backend meanwhile costs no request."""

import contextlib
import json
import os
import signal
import socket
import threading
import time

import pytest

from harness import handler, in_parallel, respond, route, service, wait_for


def test_connections_are_reused(drover, backend):
    b = backend()
    d = drover(workers=1, services=[service("b", b.address)],
               routes=[route("/", "b")])
    for _ in range(50):
        assert d.get("/").status == 200
    assert b.connections == 1
    assert d.total("upstream_connects") == 1
    assert d.total("upstream_reuses") == 49


def test_a_backend_that_says_close(drover, backend):
    def handle(connection):
        if connection.read_request() is not None:
            connection.reply("bye", headers="Connection: close\r\n")

    b = backend(handle)
    d = drover(workers=1, services=[service("b", b.address)],
               routes=[route("/", "b")])
    with d.raw() as c:
        for _ in range(10):
            c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            # The backend's Connection field concerns Drover alone.
            assert "connection" not in c.response().headers
    assert b.connections == 10


@pytest.mark.parametrize("crowd", [0, 4])
def test_an_answer_that_nobody_asked_for(drover, backend, crowd):
    """The bytes lie in the kept connection when the next request comes. The
    worker hears of the two at once, and of a crowd that makes writes
    batched."""
    connections = []

    def handle(connection):
        connections.append(connection)
        while (request := connection.read_request()) is not None:
            connection.reply(request.target)

    d = drover(workers=1, services=[service("b", backend(handle).address)],
               routes=[route("/", "b"), respond("/own", 1)])
    worker, = d.workers()
    with contextlib.ExitStack() as stack:
        c, *others = [stack.enter_context(d.raw()) for _ in range(1 + crowd)]
        for o in others:
            o.send("GET /own HTTP/1.1\r\nHost: a\r\n\r\n")
            assert o.response().status == 200
        for i in range(5):
            c.send("GET /mine HTTP/1.1\r\nHost: a\r\n\r\n")
            assert c.response().body == b"/mine", i
            os.kill(worker, signal.SIGSTOP)
            c.send("GET /mine HTTP/1.1\r\nHost: a\r\n\r\n")
            for o in others:
                o.send("GET /own HTTP/1.1\r\nHost: a\r\n\r\n")
            connections[-1].reply("for somebody else")
            os.kill(worker, signal.SIGCONT)
            assert c.response().body == b"/mine", i
            for o in others:
                assert o.response().status == 200
    assert len(connections) == 6


def test_closed_while_idle(drover, backend):
    """The backend closes each kept connection right after its response, without
    a word: the next request may or may not meet the close."""
    closed = threading.Semaphore(0)

    def handle(connection):
        if connection.read_request() is not None:
            connection.reply("ok")
            connection.file.close()
            connection.sock.close()
            closed.release()

    d = drover(workers=1, services=[service("b", backend(handle).address)],
               routes=[route("/", "b")])
    for i in range(200):
        assert d.get("/").status == 200, i
        if i % 2:
            closed.acquire()
    assert d.service("b")["failures"] == 0


def test_closed_as_the_request_arrives(drover, backend):
    """The race that no reuse check can see: the request is on its way when the
    connection closes. A GET is retried, once; a POST must not be."""
    seen = []

    def handle(connection):
        first = connection.read_request()
        if first is None:
            return
        seen.append(first.method)
        connection.reply("ok")
        second = connection.read_request()
        if second is not None:
            seen.append(second.method)
            connection.reset()

    d = drover(workers=1, services=[service("b", backend(handle).address)],
               routes=[route("/", "b")])
    with d.client() as c:
        for _ in range(20):
            assert c.get("/").status == 200
        assert seen.count("GET") >= 20
        posted = seen.count("POST")
        for _ in range(20):
            response = c.request("POST", "/", body=b"x")
            assert response.status in (200, 502)
        # Each request was seen once.
        assert seen.count("POST") - posted == 20
    assert "POST" in seen


EXTRA = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nWRONG"


def test_leftover_bytes_do_not_answer_the_next(drover, backend):
    """A connection with bytes beyond the announced length is not used again.
    The bytes come in the same piece, or later, on the idle connection."""
    gone = threading.Semaphore(0)

    def handle(connection):
        request = connection.read_request()
        if request.target == "/together":
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nRIGHT"
                            + EXTRA)
        else:
            connection.reply("RIGHT")
            connection.send(EXTRA)
        try:
            # Closed, or reset since the surplus bytes were not read.
            assert connection.read_request() is None
        finally:
            gone.release()

    d = drover(workers=1, services=[service("b", backend(handle).address)],
               routes=[route("/", "b")])
    with d.client() as c:
        for path in ("/together", "/apart") * 10:
            assert c.get(path).body == b"RIGHT"
            assert gone.acquire(timeout=10)


def test_idle_connections_are_given_up(drover, backend):
    b = backend()
    d = drover(workers=1, routes=[route("/", "b")],
               services=[service("b", b.address, pool={"idle": "100ms"})])
    assert d.get("/").json()["connection"] == 1
    wait_for(lambda: not b.open, "the idle connection is closed")
    assert d.get("/").json()["connection"] == 2


@pytest.mark.parametrize("pool,headers,connections", [
    ({"max_requests": 3}, "", 4),
    ({}, "Keep-Alive: timeout=5, max=1\r\n", 5),
    ({}, "Keep-Alive: timeout=0\r\n", 10),
    ({}, "Keep-Alive: timeout=5\r\n", 1),
    ({}, "Keep-Alive: timeout=soon, max=many\r\n", 1),
])
def test_so_many_requests_to_a_connection(drover, backend, pool, headers,
                                          connections):
    def handle(connection):
        # As of a backend that counts down to 0.
        mine = headers
        while connection.read_request() is not None:
            connection.reply(headers=mine)
            mine = mine.replace("max=1", "max=0")

    b = backend(handle)
    d = drover(workers=1, services=[service("b", b.address, pool=pool)],
               routes=[route("/", "b")])
    for _ in range(10):
        answer = d.get("/")
        assert answer.status == 200
        assert "keep-alive" not in answer.headers
    assert b.connections == connections
    assert d.total("upstream_retries") == 0


def test_given_up_before_the_backend_does(drover, backend):
    """A backend says that it closes after a second: the connection ends
    before."""
    ends = []

    def handle(connection):
        connection.read_request()
        connection.reply(headers="Keep-Alive: timeout=1\r\n")
        begun = time.monotonic()
        assert connection.read_request() is None
        ends.append(time.monotonic() - begun)

    d = drover(workers=1, routes=[route("/", "b")],
               services=[service("b", backend(handle).address,
                                 pool={"idle": "1h"})])
    assert d.get("/").status == 200
    wait_for(lambda: ends, "the connection's end")
    assert ends[0] > 0.4


def test_the_cap_is_kept(drover, backend):
    b = backend()
    d = drover(workers=1, routes=[route("/", "b")],
               services=[service("b", b.address, pool={"connections": 3})])
    clients = [d.raw() for _ in range(12)]
    for _ in range(10):
        for c in clients:
            c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        for c in clients:
            assert json.loads(c.response().body)["connection"] <= 3
    for c in clients:
        c.close()
    assert b.connections <= 3


@pytest.mark.parametrize("count", [2, 3])
def test_the_cap_is_each_endpoints_own(drover, backend, count):
    """Slow endpoints: two with a cap of three carry six requests at a time, and
    a third endpoint carries three more."""
    gate, inside = threading.Event(), []

    def handle(connection):
        while connection.read_request() is not None:
            inside.append(connection)
            gate.wait(10)
            connection.reply("ok")

    backends = [backend(handle) for _ in range(count)]
    d = drover(workers=1, routes=[route("/", "s")],
               services=[service("s", *(b.address for b in backends),
                                 pool={"connections": 3})])
    clients = [d.raw() for _ in range(3 * count + 1)]
    for c in clients:
        c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    d.wait_in_flight(len(clients))
    wait_for(lambda: len(inside) == 3 * count, "all endpoints are full")
    gate.set()
    for c in clients:
        assert c.response().status == 200
        c.close()
    assert [b.connections for b in backends] == [3] * count


def test_closed_while_the_worker_was_busy(drover, backend):
    """A POST waits, then the backend closes the idle connection, each while the
    worker is blocked. The worker then hears of the POST first. The POST must
    not go to the closed connection."""
    close, closed = threading.Event(), threading.Event()

    def handle(connection):
        request = connection.read_request()
        connection.reply(request.method)
        if request.method == "GET":
            close.wait(10)
            connection.sock.shutdown(socket.SHUT_RDWR)
            closed.set()

    d = drover(workers=1, services=[service("b", backend(handle).address)],
               routes=[route("/", "b"), handler("/block", "cpu_bound")])

    def is_blocked():
        return d.cluster()["workers"][0].get("stalledMs", 0) > 0

    with d.raw() as blocking, d.client() as c:
        assert c.get("/").body == b"GET"
        blocking.send("GET /block?ms=1500 HTTP/1.1\r\nHost: a\r\n\r\n")
        wait_for(is_blocked, "the worker is blocked")
        c.http.request("POST", "/", body=b"x")
        close.set()
        assert closed.wait(10)
        assert is_blocked()
        answer = c.http.getresponse()
        assert (answer.status, answer.read()) == (200, b"POST")
        assert blocking.response().status == 200
    assert d.service("b")["failures"] == 0
    assert d.total("upstream_reuses") == 0


def test_those_who_wait_use_up_nobodys_turn(drover, backend):
    """With one connection for all endpoints, each endpoint still has every
    second request."""
    seen = []

    def named(name):
        def handle(connection):
            while connection.read_request() is not None:
                seen.append(name)
                connection.reply(name)
        return handle

    d = drover(workers=1, routes=[route("/", "s")],
               services=[service("s", backend(named("a")).address,
                                 backend(named("b")).address,
                                 pool={"total": 1})])

    def ask(_):
        with d.client() as c:
            return [c.get("/").status for _ in range(25)]

    assert in_parallel(4, ask) == [[200] * 25] * 4
    assert (seen.count("a"), seen.count("b")) == (50, 50)
