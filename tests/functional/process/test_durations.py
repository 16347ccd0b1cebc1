"""Goal: the metrics have the durations of requests, by route, service and code,
and their parts: in the queue, connecting, to the first byte."""

import os
import signal
import socket
import threading
import time

import samples
from harness import handler, in_parallel, respond, route, service, wait_for

REQUESTS = "drover_request_duration_seconds"
GET = "GET {} HTTP/1.1\r\nHost: a\r\n\r\n"


def of_route(d, path, code="2xx", name="s", count=1):
    """The histogram of a route, once the number of samples is reached: samples
    are added at the end of the loop's iteration, right after the response."""
    def found():
        h = samples.read(d).histogram(REQUESTS, service=name, route=path,
                                      code=code)
        return h if h.count >= count else None

    h = wait_for(found, f"{count} samples of {path} with {code}")
    assert h.count == count
    return h


def of_service(d, what, name="s", count=1):
    def found():
        h = samples.read(d).histogram(f"drover_{what}_seconds", service=name)
        return h if h.count >= count else None

    h = wait_for(found, f"{count} samples of {what}")
    assert h.count == count
    return h


class Gate:
    """A backend whose responses wait: the head for one event, the body for
    another."""

    def __init__(self):
        self.head, self.body = threading.Event(), threading.Event()
        self.inside = 0
        self.lock = threading.Lock()

    def open(self):
        self.head.set()
        self.body.set()

    def handle(self, connection):
        while connection.read_request() is not None:
            with self.lock:
                self.inside += 1
            self.head.wait(10)
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n")
            self.body.wait(10)
            connection.send("ok")
            with self.lock:
                self.inside -= 1


def ask(d, path="/"):
    """A request whose response is not awaited here."""
    thread = threading.Thread(target=lambda: d.get(path))
    thread.start()
    return thread


def hold(seconds):
    """Lets time pass, since time is measured."""
    begin = time.monotonic()
    while time.monotonic() - begin < seconds:
        time.sleep(0.01)
    return time.monotonic() - begin


def test_slow_backend(drover, backend):
    gate = Gate()
    d = drover(workers=1, routes=[route("/", "s")],
               services=[service("s", backend(gate.handle).address)])
    begin = time.monotonic()
    client = ask(d)
    wait_for(lambda: gate.inside == 1, "it is asked")
    to_head = hold(0.3)
    gate.head.set()
    wait_for(lambda: of_service(d, "first_byte"), "its head is there")
    seen_head = time.monotonic() - begin
    to_body = hold(0.3)
    gate.body.set()
    client.join()
    h = of_route(d, "/")
    elapsed = time.monotonic() - begin
    assert h.upto(0.5) == 0 and to_head + to_body <= h.sum <= elapsed
    h = of_service(d, "first_byte")
    assert h.upto(0.25) == 0 and to_head - 0.01 <= h.sum <= seen_head
    h = of_service(d, "connect")
    assert h.sum <= seen_head - to_head


def test_time_in_the_queue(drover, backend):
    gate = Gate()
    d = drover(workers=1, routes=[route("/", "s")],
               services=[service("s", backend(gate.handle).address,
                                 pool={"connections": 1, "queue": 10,
                                       "queue_timeout": "60s"})])
    first = ask(d)
    wait_for(lambda: gate.inside == 1, "the connection is taken")
    assert of_service(d, "queue").upto(0.001) == 1
    begin = time.monotonic()
    second = ask(d)
    leaver = d.raw()
    leaver.send(GET.format("/"))
    d.wait_in_flight(3)
    held = hold(0.15)
    leaver.reset()
    d.wait_in_flight(2)
    assert of_service(d, "queue", count=2).sum >= held
    assert of_route(d, "/", "499").sum >= held
    gate.open()
    first.join()
    second.join()
    h = of_service(d, "queue", count=3)
    assert h.upto(0.001) == 1 and h.upto(0.1) == 1
    assert 2 * held <= h.sum <= 2 * (time.monotonic() - begin)
    # The two requests shared a connection.
    assert of_service(d, "connect").count == 1


def test_shed_from_the_queue(drover, backend):
    gate = Gate()
    d = drover(workers=1, routes=[route("/", "s")],
               services=[service("s", backend(gate.handle).address,
                                 pool={"connections": 1, "queue": 10,
                                       "queue_timeout": "120ms"})])
    first = ask(d)
    wait_for(lambda: gate.inside == 1, "the connection is taken")
    for response in in_parallel(2, lambda i: d.get("/")):
        assert response.status == 503
    assert of_route(d, "/", "5xx", count=2).upto(0.1) == 0
    h = of_service(d, "queue", count=3)
    assert h.upto(0.1) == 1 and h.sum >= 0.24
    gate.open()
    first.join()


def full_listener():
    """A full queue of connections: the next request has to wait."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    filler = socket.create_connection(listener.getsockname())
    return listener, filler


def test_slow_connect(drover):
    listener, filler = full_listener()
    port = listener.getsockname()[1]
    d = drover(workers=1, routes=[route("/", "s")],
               services=[service("s", f"127.0.0.1:{port}",
                                 timeouts={"connect": "20s"})])
    client = ask(d)
    d.wait_in_flight(1)
    held = hold(0.12)
    assert of_service(d, "connect", count=0).count == 0
    filler_side, _ = listener.accept()
    connection, _ = listener.accept()
    wait_for(lambda: b"\r\n\r\n" in connection.recv(65536, socket.MSG_PEEK),
             "the request is there")
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    client.join()
    h = of_service(d, "connect")
    assert h.sum >= held and h.upto(0.1) == 0
    for s in (connection, filler_side, filler, listener):
        s.close()


def test_a_connection_that_is_kept_connects_once(drover, backend):
    d = drover(workers=1, routes=[route("/", "s")],
               services=[service("s", backend().address)])
    for _ in range(5):
        assert d.get("/").status == 200
    of_route(d, "/", count=5)
    assert of_service(d, "connect").count == 1
    assert of_service(d, "first_byte", count=5).count == 5
    assert of_service(d, "queue", count=5).count == 5


def test_a_handler_that_blocks_the_loop(drover):
    """Begin and end are in one iteration of the loop, whose clock stands."""
    d = drover(workers=1, routes=[handler("/cpu", "cpu_bound"),
                                  respond("/", 1)])
    assert d.get("/cpu?ms=120").status == 200
    h = of_route(d, "/cpu", name="")
    assert h.upto(0.1) == 0 and h.sum >= 0.12
    # Answered right before a block: the block is not the request's time.
    worker, = d.workers()
    with d.raw() as one, d.raw() as other:
        for c in (one, other):
            c.send(GET.format("/"))
            assert c.response().status == 200
        before = of_route(d, "/", name="", count=2).sum
        os.kill(worker, signal.SIGSTOP)
        one.send(GET.format("/"))
        one.send(GET.format("/cpu?ms=2000"))
        os.kill(worker, signal.SIGCONT)
        assert one.response().status == 200
        assert of_route(d, "/", name="", count=3).sum - before < 2
        # Read by the blocked loop only afterwards.
        assert one.response().status == 200
    assert of_route(d, "/cpu", name="", count=2).sum >= 2.12


def test_routes_and_codes(drover, backend):
    def answer(connection):
        while (request := connection.read_request()) is not None:
            if "upgrade" in request.headers:
                connection.send("HTTP/1.1 101 Switching Protocols\r\n"
                                "Upgrade: x\r\nConnection: Upgrade\r\n\r\n")
                return
            connection.reply(status=request.target.rsplit("/", 1)[-1] + " A")

    d = drover(routes=[route("/a", "s"), respond("/own", 1, status=201),
                       route("/post", "s", methods=["POST"])],
               services=[service("s", backend(answer).address)])
    for status in (200, 204, 302, 404, 499, 500, 600):
        assert d.get(f"/a/{status}").status == status
    assert d.get("/own").status == 201
    assert d.get("/post").status == 405
    assert d.get("/none").status == 404
    with d.raw() as c:
        c.send("GET /a HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n"
               "Upgrade: x\r\n\r\n")
        assert c.response().status == 101
        c.end_sending()
        assert c.is_closed()
    with d.raw() as c:
        c.send("GET / HTTP/1.1\r\n\r\n")  # no Host: no request
        assert c.response().status == 400
    counts = {"1xx": 1, "2xx": 2, "3xx": 1, "4xx": 2, "5xx": 2}
    for code, count in counts.items():
        of_route(d, "/a", code, count=count)
    of_route(d, "/own", name="")
    of_route(d, "", "4xx", name="", count=2)
    page = samples.read(d)
    assert page.all(f"{REQUESTS}_count", route="/post") == {}
    assert page.all(f"{REQUESTS}_count", code="499") == {}
    # The bad request has no duration, but a response.
    classes = {c: sum(page.all("drover_responses_total", **{"class": c})
                      .values()) for c in counts}
    assert classes == {"1xx": 1, "2xx": 3, "3xx": 1, "4xx": 5, "5xx": 2}


def test_nothing_goes_back_when_workers_die(drover, backend):
    d = drover(workers=2, routes=[route("/", "s"), respond("/own", 1)],
               services=[service("s", backend().address)])
    for _ in range(20):
        assert d.get("/").status == 200
        assert d.get("/own").status == 200
    of_route(d, "/", count=20)
    of_route(d, "/own", name="", count=20)
    last = samples.read(d)
    for slot in (0, 1, 0):
        d.kill_worker(slot)
        assert d.get("/").status == 200
        page = samples.read(d)
        for key, value in last.growing().items():
            assert page.samples[key] >= value, key
        last = page
    of_route(d, "/", count=23)


def test_many_routes(drover):
    """The page is as long as the configuration makes it, and comes whole."""
    routes = [respond(f"/r{i}/" + "x" * 200, i) for i in range(1000)]
    d = drover(workers=1, routes=routes)
    with d.client() as c:
        for r in routes:
            assert c.get(r["path"]).status == 200
    of_route(d, routes[-1]["path"], name="")
    page = samples.read(d)
    assert len(page.all(f"{REQUESTS}_count", code="2xx")) == 1000
