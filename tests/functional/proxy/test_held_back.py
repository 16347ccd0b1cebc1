"""Goal: batched writes are neither lost nor sent twice, for any act of the peer
before the end of the loop's iteration. The same holds for writes that leave at
once, in an iteration of few events."""

import contextlib
import os
import signal
import socket
import struct
import threading

import pytest

from harness import handler, respond, route, service, wait_for

GET = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
POST = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"
BLOCK = "GET /block?ms=3000 HTTP/1.1\r\nHost: a\r\n\r\n"
WARM = "GET /warm HTTP/1.1\r\nHost: a\r\n\r\n"
OWN = [respond("/warm", 1), handler("/block", "cpu_bound")]


def start(drover, *endpoints, **more):
    return drover(workers=1, routes=[route("/", "b"), *OWN],
                  services=[service("b", *endpoints, **more)])


def wait_state(pid, state, what):
    def is_there():
        with open(f"/proc/{pid}/stat", encoding="ascii") as f:
            return f.read().rsplit(")", 1)[1].split()[0] == state

    wait_for(is_there, what)


@pytest.fixture(name="crowd", params=[0, 4], ids=["few", "many"])
def fixture_crowd(request):
    """The number of further events in the same iteration."""
    return request.param


@contextlib.contextmanager
def one_iteration(d, crowd, *sent):
    """One poll tells the worker of all messages, in this order. The message
    BLOCK blocks the worker in the middle of the iteration."""
    with contextlib.ExitStack() as stack:
        others = connect(stack, d, crowd)
        with stop_and_send(d, *sent, *((c, WARM) for c in others)):
            yield
        for c in others:
            assert c.response().status == 200


@contextlib.contextmanager
def stop_and_send(d, *sent):
    worker, = d.workers()
    # A finished response may not have been counted out yet.
    wait_state(worker, "S", "it is asleep")
    begun = d.in_flight() + [data for _, data in sent].index(BLOCK) + 1
    os.kill(worker, signal.SIGSTOP)
    wait_state(worker, "T", "it has stopped")
    for c, data in sent:
        c.send(data)
    os.kill(worker, signal.SIGCONT)
    d.wait_in_flight(begun)
    yield
    assert d.in_flight() == begun


def connect(stack, d, count):
    """Clients that the worker polls."""
    clients = [stack.enter_context(d.raw()) for _ in range(count)]
    for c in clients:
        c.send(WARM)
        assert c.response().status == 200
    return clients


def test_a_stale_connection_keeps_its_place(drover, backend, crowd):
    """A request that was lent a connection does not queue again behind later
    requests, nor finds the queue full."""
    close, closed = threading.Event(), threading.Event()
    seen = []

    def handle(connection):
        seen.append(connection.read_request().target)
        connection.reply(seen[-1])
        if connection.number == 1:
            close.wait(10)
            connection.sock.shutdown(socket.SHUT_RDWR)
            closed.set()
        while (request := connection.read_request()) is not None:
            seen.append(request.target)
            connection.reply(request.target)

    d = start(drover, backend(handle).address,
              pool={"connections": 1, "queue": 1})
    assert d.get("/").status == 200
    with contextlib.ExitStack() as stack:
        x, b, c = connect(stack, d, 3)
        with one_iteration(d, crowd, (x, BLOCK),
                           (b, GET.replace("/", "/b", 1)),
                           (c, GET.replace("/", "/c", 1))):
            close.set()
            assert closed.wait(10)
        assert b.response().body == b"/b"
        assert c.response().body == b"/c"
    assert seen == ["/", "/b", "/c"]
    assert d.service("b")["failures"] == 0


def test_a_post_that_is_held_when_its_try_fails(drover, backend, crowd):
    """The backend has shut its side down before the request, but still reads: a
    request that goes to another connection must not be heard twice."""
    shut, over = threading.Event(), threading.Event()
    seen = []

    def deaf(connection):
        connection.sock.shutdown(socket.SHUT_WR)
        shut.set()
        try:
            while (request := connection.read_request()) is not None:
                seen.append(("deaf", request.method))
        finally:
            over.set()

    def handle(connection):
        while (request := connection.read_request()) is not None:
            seen.append(("other", request.method))
            connection.reply()

    d = start(drover, backend(deaf).address, backend(handle).address)
    with contextlib.ExitStack() as stack:
        x, c = connect(stack, d, 2)
        with one_iteration(d, crowd, (c, POST), (x, BLOCK)):
            assert shut.wait(10)
        assert x.response().status == 200
        assert c.response().status in (200, 502)
    assert over.wait(10)
    assert len(seen) == 1, seen


def segments_with_data(sock):
    """How many have come: tcpi_data_segs_in of the kernel's tcp_info."""
    info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 156)
    return struct.unpack_from("I", info, 152)[0]


def test_pipelined_answers_leave_together(drover):
    """Also where the worker has nobody else to answer."""
    d = drover(workers=1, routes=OWN)
    with contextlib.ExitStack() as stack:
        c, = connect(stack, d, 1)
        before = segments_with_data(c.sock)
        c.send(WARM * 16)
        for _ in range(16):
            assert c.response().status == 200
        assert segments_with_data(c.sock) == before + 1


def answered(d, before):
    """The number of further requests, once no more come."""
    while True:
        count = d.total("requests")
        for _ in range(3):
            assert d.get("/warm").status == 200
        before += 3
        if d.total("requests") == count + 3:
            return count + 3 - before


def test_pipelined_and_half_closed(drover):
    """A client that sends all its requests and its end, and only then reads,
    gets all responses, wherever the kernel runs out of room."""
    d = drover(workers=1, routes=[respond("/long", "x" * 700), *OWN])
    request = "GET /long HTTP/1.1\r\nHost: a\r\n\r\n"

    def ask(c, count):
        before = d.total("requests")
        c.send(request * count)
        c.end_sending()
        return answered(d, before)

    with d.raw(receive_buffer=4096) as c:
        room = ask(c, 9000)
    assert 100 < room < 9000
    for count in range(room - 40, room, 2):
        with d.raw(receive_buffer=4096) as c:
            ask(c, count)
            data = c.rest()
        assert data.count(b"HTTP/1.1 200 OK\r\n") == count
        assert data.endswith(b"x\"")


def test_an_early_answer_and_a_piece_that_is_held(drover, backend, crowd):
    """The backend answers in mid-body and resets. A piece written before the
    poll tells of the reset must not cost the response."""
    begun, go, gone = (threading.Event() for _ in range(3))

    def handle(connection):
        connection.read_request(body=False)
        begun.set()
        go.wait(10)
        connection.reply("too much", status="413 Content Too Large")
        connection.reset()
        gone.set()

    d = start(drover, backend(handle).address)
    with contextlib.ExitStack() as stack:
        x, c = connect(stack, d, 2)
        c.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 30\r\n\r\n"
               "0123456789")
        assert begun.wait(10)
        with one_iteration(d, crowd, (x, BLOCK), (c, "0123456789")):
            go.set()
            assert gone.wait(10)
        answer = c.response()
        assert (answer.status, answer.body) == (413, b"too much")


UPGRADE = ("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n"
           "Upgrade: x\r\n\r\n")
SWITCHED = ("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
            "Upgrade: x\r\n\r\n")


def open_tunnel(c):
    c.send(UPGRADE)
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += c.sock.recv(1)
    assert b" 101 " in head


def test_last_words_in_a_tunnel(drover, backend, crowd):
    go, gone = threading.Event(), threading.Event()

    def handle(connection):
        connection.read_request()
        connection.send(SWITCHED)
        go.wait(10)
        connection.send("last words")
        connection.reset()
        gone.set()

    d = start(drover, backend(handle).address)
    with contextlib.ExitStack() as stack:
        x, c = connect(stack, d, 2)
        open_tunnel(c)
        with one_iteration(d, crowd, (x, BLOCK), (c, "a word")):
            go.set()
            assert gone.wait(10)
        assert c.sock.recv(100) == b"last words"


def test_a_tunnel_that_nobody_hears(drover, backend):
    """The backend has closed; the client has been told, and talks on."""
    def handle(connection):
        connection.read_request()
        connection.send(SWITCHED)

    d = start(drover, backend(handle).address)
    with d.raw() as c:
        open_tunnel(c)
        assert c.sock.recv(1) == b""
        before = d.total("client_bytes_in")
        c.send("a")
        wait_for(lambda: d.total("client_bytes_in") > before, "it was read")
        c.send("b")
        wait_for(lambda: d.in_flight() == 0, "the tunnel ends")
