"""Goal: a failed request is retried where safe, and never elsewhere; a
backend's surplus bytes reach no client."""

import os
import resource
import threading

import pytest

from harness import Raw, route, service, wait_for

BLOCK = 65 * 1024  # the size of one read


def test_an_endpoint_that_fails_at_once(drover, backend, place):
    """connect(2) itself fails: the second endpoint answers, and no worker
    dies."""
    d = drover(services=[service("b", f"unix:{place}/none",
                                 backend().address)],
               routes=[route("/", "b")])
    before = d.workers()
    assert [d.get("/").status for _ in range(20)] == [200] * 20
    assert d.workers() == before


def test_no_endpoint_at_all(drover, place):
    d = drover(services=[service("b", f"unix:{place}/a", f"unix:{place}/b",
                                 retries=5)],
               routes=[route("/", "b")])
    before = d.workers()
    assert [d.get("/").status for _ in range(5)] == [502] * 5
    assert d.workers() == before


def test_a_timeout_is_not_taken_for_a_stale_connection(drover, backend):
    seen = []
    hang = threading.Event()

    def handle(connection):
        while (request := connection.read_request()) is not None:
            seen.append(request.method)
            if request.method == "DELETE":
                hang.wait(10)
            connection.reply()

    d = drover(services=[service("b", backend(handle).address, retries=0,
                                 timeouts={"read": "300ms"})],
               routes=[route("/", "b")], workers=1)
    assert d.get("/").status == 200
    assert d.request("DELETE", "/").status == 504
    hang.set()
    assert d.get("/").status == 200
    assert seen.count("DELETE") == 1


def test_a_post_survives_a_connection_known_to_be_closed(drover, backend):
    """The backend closes after each response, without saying so."""
    def handle(connection):
        connection.read_request()
        connection.reply()

    d = drover(services=[service("b", backend(handle).address)],
               routes=[route("/", "b")], workers=1)
    with d.client() as c:
        for _ in range(20):
            assert c.get("/").status == 200


@pytest.mark.parametrize("size", [66000, 66300])
def test_bytes_behind_an_answer_that_fills_a_read(drover, backend, size):
    """The response ends where a read of a whole block does; the bytes behind
    must not be the next client's response."""
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nX: " % size
    head += b"x" * (BLOCK - size - len(head) - 4) + b"\r\n\r\n"
    injected = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nWRONG"

    def handle(connection):
        while connection.read_request() is not None:
            connection.send(head + b"r" * size + injected)

    d = drover(services=[service("b", backend(handle).address)],
               routes=[route("/", "b")], workers=1)
    for _ in range(10):
        assert d.get("/").body == b"r" * size


def test_100_and_101_in_one_piece(drover, backend):
    def handle(connection):
        connection.read_request()
        connection.send("HTTP/1.1 100 Continue\r\n\r\n"
                        "HTTP/1.1 101 Switching Protocols\r\n\r\n")
        connection.file.read()

    d = drover(services=[service("b", backend(handle).address)],
               routes=[route("/", "b")])
    assert d.get("/").status == 502


def test_a_head_that_just_does_not_fit(drover, backend):
    start = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX: "

    def handle(connection):
        size = int(connection.read_request().target[1:])
        connection.send(start + "x" * (size - len(start) - 4) +
                        "\r\n\r\nok")

    d = drover(services=[service("b", backend(handle).address)],
               routes=[route("/", "b")])
    for size in (*range(15800, 16380, 50), *range(16380, 16390),
                 *range(16400, 16700, 50)):
        assert d.get(f"/{size}").status == (200 if size <= 16384 else 502)


def test_running_out_of_descriptors_is_not_the_backends_fault(
        drover, backend):
    b = backend()
    d = drover(services=[service("b", b.address,
                                 breaker={"failures": 1})],
               routes=[route("/", "b")], workers=1)
    pid = d.workers()[0]
    used = len(os.listdir(f"/proc/{pid}/fd"))
    soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (used + 1, hard))
    with Raw(d.port) as client:
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        answer = client.response()
        assert answer.status == 503
        assert "descriptors" in answer.json()["error"]
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, hard))
    wait_for(lambda: d.get("/").status == 200, "it goes on")
    assert d.service("b")["breaker"] == "closed"


def read_two(tries):
    """A backend that answers the first request of each connection, and breaks
    off after reading the second."""
    def handle(connection):
        for n in (1, 2):
            request = connection.read_request()
            if request is None:
                return
            tries.append((request.method, request.body, request.trailers))
            if n == 2:
                connection.reset()
                return
            connection.reply()
    return handle


@pytest.mark.parametrize("framing, body, trailers", [
    ("Content-Length: 3\r\n\r\nabc", b"abc", []),
    ("Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\nX: y\r\n"
     "\r\n", b"abc", [("x", "y")]),
    ("Content-Length: 9000\r\n\r\n" + "x" * 9000, b"x" * 9000, [])],
    ids=["length", "chunked", "long"])
@pytest.mark.parametrize("method, again", [("PUT", True), ("DELETE", True),
                                           ("POST", False)])
def test_a_stale_connection_and_a_body(drover, backend, method, again,
                                       framing, body, trailers):
    """A buffered body is sent again with its request, for idempotent
    methods."""
    tries = []
    d = drover(services=[service("b", backend(read_two(tries)).address)],
               routes=[route("/", "b")], workers=1)
    with d.raw() as c:
        c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert c.response().status == 200
        c.send(f"{method} / HTTP/1.1\r\nHost: a\r\n{framing}")
        assert c.response().status == (200 if again else 502)
    assert tries[1:] == [(method, body, trailers)] * (2 if again else 1)


def test_a_body_on_another_endpoint(drover, backend):
    """A body too long for the buffer is not."""
    tries = []

    def handle(connection):
        while (request := connection.read_request()) is not None:
            tries.append(len(request.body))
            if len(tries) % 2 == 1:
                connection.reset()
                return
            connection.reply()

    d = drover(services=[service("b", backend(handle).address,
                                 backend(handle).address,
                                 eject={"failures": 0})],
               routes=[route("/", "b")], workers=1)
    assert d.request("PUT", "/", b"abc").status == 200
    assert tries == [3, 3]
    assert d.request("PUT", "/", b"x" * 100000).status == 502
    assert tries == [3, 3, 100000]


def test_a_body_that_was_waited_for_comes_once(drover, backend):
    """The lost backend has told the client to go on: another backend's 100
    would be a second one."""
    tries = []

    def handle(connection):
        while (request := connection.read_request(body=False)) is not None:
            connection.send("HTTP/1.1 100 Continue\r\n\r\n")
            tries.append(connection.read_body(request))
            connection.reset()
            return

    d = drover(services=[service("b", backend(handle).address,
                                 backend(handle).address)],
               routes=[route("/", "b")], workers=1)
    with d.raw() as c:
        c.send("PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
               "Content-Length: 3\r\n\r\n")
        assert c.response().status == 100
        c.send("abc")
        assert c.response().status == 502
    assert tries == [b"abc"]


def test_not_again_once_an_interim_response_went_out(drover, backend):
    """The client has heard of this try: another would be a second answer."""
    tries = []

    def handle(connection):
        while connection.read_request() is not None:
            tries.append(connection.number)
            if len(tries) == 1:
                connection.reply()
                continue
            connection.send("HTTP/1.1 103 Early Hints\r\n\r\n")
            connection.reset()
            return

    one, two = backend(handle), backend(handle)
    d = drover(services=[service("b", one.address, two.address, retries=5)],
               routes=[route("/", "b")], workers=1)
    with d.raw() as c:
        c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert c.response().status == 200
        for n in (2, 3):
            c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            assert c.response().status == 103
            assert c.response().status == 502
            assert len(tries) == n
