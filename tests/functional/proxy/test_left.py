"""Goal: a request whose client has left takes no connection in the queue. One
that runs is ended only with abort_on_close, since a client may have shut down
its sending side alone."""

import json
import threading

import pytest

from harness import route, service, wait_for

GET = "GET /gone HTTP/1.1\r\nHost: a\r\n\r\n"
PIPELINED = GET + GET
POST = "POST /gone HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody"
HALF = POST.replace("4", "400")
CHUNKED = ("POST /gone HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
           "\r\n4\r\nbody\r\n0\r\n\r\n")
BIG = ("POST /gone HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n"
       + "b" * 100000)


class Gate:
    """A backend that notes the targets, and answers when the gate opens."""

    def __init__(self):
        self.open = threading.Event()
        self.targets = []
        self.ended = 0

    def handle(self, connection):
        while (request := connection.read_request()) is not None:
            self.targets.append(request.target)
            self.open.wait(10)
            connection.reply("ok")
        self.ended += 1


@pytest.fixture(name="gate")
def fixture_gate():
    gate = Gate()
    yield gate
    gate.open.set()


def start(drover, backend, gate, connections=1, **more):
    b = backend(gate.handle)
    return drover(workers=1, routes=[route("/", "b")],
                  services=[service("b", b.address, **more,
                                    pool={"connections": connections})],
                  log={"access": "stdout", "format": "json"})


def ask(d, text):
    c = d.raw()
    c.send(text)
    return c


def take_the_connection(d, gate):
    c = ask(d, "GET /first HTTP/1.1\r\nHost: a\r\n\r\n")
    wait_for(lambda: gate.targets == ["/first"], "the connection is taken")
    return c


def lines(d):
    """Of the access log."""
    return [json.loads(line) for line in d.log().splitlines()
            if line.startswith('{"client"')]


@pytest.mark.parametrize("closes", [False, True], ids=["half", "whole"])
@pytest.mark.parametrize("words", [GET, POST, HALF, CHUNKED, BIG],
                         ids=["get", "post", "half a body", "chunked", "big"])
def test_in_the_queue(drover, backend, gate, words, closes):
    d = start(drover, backend, gate)
    first = take_the_connection(d, gate)
    leaver = ask(d, words)
    d.wait_in_flight(2)
    if closes:
        leaver.close()
    else:
        leaver.end_sending()
    d.wait_in_flight(1)
    wait_for(lambda: len(lines(d)) == 1, "the line")
    line, = lines(d)
    assert line["status"] == 499
    assert line["end"] in ("client_closed", "client_reset")
    assert line["tries"] == 0
    gate.open.set()
    assert first.response().status == 200
    assert d.get("/next").status == 200
    assert gate.targets == ["/first", "/next"]


def test_the_end_comes_with_the_request(drover, backend, gate):
    d = start(drover, backend, gate)
    first = take_the_connection(d, gate)
    leaver = ask(d, GET)
    leaver.end_sending()
    assert leaver.is_closed()
    d.wait_in_flight(1)
    gate.open.set()
    assert first.response().status == 200
    assert gate.targets == ["/first"]


def test_with_another_request_behind(drover, backend, gate):
    """A client that has pipelined reads on."""
    d = start(drover, backend, gate)
    first = take_the_connection(d, gate)
    c = ask(d, PIPELINED)
    c.end_sending()
    # Its end is known when a later client's is.
    later = ask(d, GET)
    later.end_sending()
    assert later.is_closed()
    d.wait_in_flight(2)
    gate.open.set()
    assert first.response().status == 200
    assert [c.response().status for _ in range(2)] == [200, 200]


@pytest.mark.parametrize("words", [GET, POST, CHUNKED],
                         ids=["get", "post", "chunked"])
def test_running(drover, backend, gate, words):
    """Half-closed clients are answered, by default."""
    d = start(drover, backend, gate)
    c = ask(d, words)
    wait_for(lambda: gate.targets == ["/gone"], "it runs")
    c.end_sending()
    later = ask(d, GET)
    later.end_sending()
    assert later.is_closed()
    gate.open.set()
    assert c.response().status == 200


@pytest.mark.parametrize("words", [GET, POST, CHUNKED],
                         ids=["get", "post", "chunked"])
def test_running_with_abort_on_close(drover, backend, gate, words):
    d = start(drover, backend, gate, abort_on_close=True)
    c = ask(d, words)
    wait_for(lambda: gate.targets == ["/gone"], "it runs")
    c.end_sending()
    assert c.is_closed()
    wait_for(lambda: len(lines(d)) == 1, "the line")
    line, = lines(d)
    assert (line["status"], line["end"]) == (499, "client_closed")
    gate.open.set()
    # The backend's connection is closed, and its place is free.
    assert d.get("/next").status == 200
    wait_for(lambda: gate.ended == 1, "the backend sees the end")
    assert d.service("b")["failures"] == 0


def test_a_pipelining_client_is_not_aborted(drover, backend, gate):
    d = start(drover, backend, gate, abort_on_close=True)
    gate.open.set()
    c = ask(d, PIPELINED)
    assert c.response().status == 200
    assert c.response().status == 200
    c.end_sending()
    assert c.is_closed()


def test_in_mid_response_with_abort_on_close(drover, backend):
    go_on, ended = threading.Event(), threading.Event()

    def handle(connection):
        connection.read_request()
        connection.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")
        go_on.wait(10)
        if not connection.file.read(1):
            ended.set()

    b = backend(handle)
    d = drover(workers=1, routes=[route("/", "b")],
               services=[service("b", b.address, abort_on_close=True)])
    c = ask(d, GET)
    assert c.file.readline().startswith(b"HTTP/1.1 200")
    c.end_sending()
    d.wait_in_flight(0)
    go_on.set()
    assert ended.wait(10)


def test_a_tunnel_is_no_request(drover, backend):
    """One side's end is passed on, also with abort_on_close."""
    def handle(connection):
        connection.read_request()
        connection.send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n"
                        "Connection: Upgrade\r\n\r\n")
        data = connection.file.read()
        connection.send(data + b" to the end")

    b = backend(handle)
    d = drover(workers=1, routes=[route("/", "b")],
               services=[service("b", b.address, abort_on_close=True)])
    c = ask(d, "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n"
               "Upgrade: x\r\n\r\n")
    assert c.response().status == 101
    c.send("bytes")
    c.end_sending()
    assert c.file.read() == b"bytes to the end"
