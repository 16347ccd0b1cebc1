"""Goal: no more than client.connections at once. Idle connections make way for
new ones; connections with a request in hand do not. A connection ends after
its age or its requests."""

import socket

import pytest

from harness import DEADLINE, Raw, respond, route, service

GET = "GET {} HTTP/1.1\r\nHost: a\r\n\r\n"


def start(drover):
    return drover(workers=1, client={"connections": "2"},
                  routes=[respond("/", "ok"), respond("/late", 1, delay="60s")])


def test_the_longest_idle_makes_way(drover):
    d = start(drover)
    with Raw(d.port) as first, Raw(d.port) as second:
        for c in (first, second):
            c.send(GET.format("/"))
            assert c.response().status == 200
        with Raw(d.port) as third:
            third.send(GET.format("/"))
            assert third.response().status == 200
            assert first.rest() == b""
        second.send(GET.format("/"))
        assert second.response().status == 200
    assert d.total("connections_refused") == 0


def test_a_connection_ends_with_its_last_request(drover):
    d = drover(workers=1, client={"max_requests": 3}, routes=[respond("/", 1)])
    with Raw(d.port) as c:
        for last in (False, False, True):
            c.send(GET.format("/"))
            answer = c.response()
            assert answer.status == 200
            assert (answer.headers.get("connection") == "close") == last
        assert c.is_closed()


@pytest.mark.parametrize("keep_alive,said", [
    ("75s", "timeout=75"), ("1500ms", "timeout=1"), ("500ms", None)])
def test_who_asks_is_told_how_long(drover, keep_alive, said):
    d = drover(workers=1, client={"keep_alive": keep_alive},
               routes=[respond("/", 1)])
    with Raw(d.port) as c:
        c.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\n\r\n")
        answer = c.response()
        assert answer.headers["connection"] == "keep-alive"
        assert answer.headers.get("keep-alive") == said
        c.send(GET.format("/"))
        answer = c.response()
        assert not {"connection", "keep-alive"} & set(answer.headers)


def test_an_old_connection_ends_with_the_next_response(drover):
    d = drover(workers=1, client={"max_age": "500ms"},
               routes=[respond("/", 1)])
    with Raw(d.port) as c:
        while True:
            c.send(GET.format("/"))
            answer = c.response()
            assert answer.status == 200
            if answer.headers.get("connection") == "close":
                break
        assert c.is_closed()


def test_requests_in_hand_stay(drover):
    d = start(drover)
    with Raw(d.port) as first, Raw(d.port) as second:
        for c in (first, second):
            c.send(GET.format("/late"))
        d.wait_in_flight(2)
        with Raw(d.port) as third:
            assert third.rest() == b""
        assert d.in_flight() == 2
        assert d.total("connections_refused") == 1
        first.reset()
        second.reset()


def test_who_has_its_last_answer_makes_way(drover, backend):
    """The place is free for a client that has seen the end, also when a long
    response ends in a later turn of the worker than a short one."""
    long = b"x" * (3 << 20)

    def handle(connection):
        while connection.read_request() is not None:
            connection.reply(long)

    d = drover(workers=1, client={"connections": "1"},
               services=[service("b", backend(handle).address)],
               routes=[respond("/", "ok"), route("/long", "b")])
    for path, body, count in (("/", b'"ok"', 500), ("/long", long, 100)):
        ask = (f"GET {path} HTTP/1.1\r\nHost: a\r\n"
               "Connection: close\r\n\r\n").encode()
        for _ in range(count):
            # At full speed: the race takes microseconds.
            with socket.create_connection(("127.0.0.1", d.port), DEADLINE) as c:
                c.sendall(ask)
                answer = b"".join(iter(lambda: c.recv(1 << 20), b""))
            assert answer.endswith(b"\r\n\r\n" + body)
    assert d.total("connections_refused") == 0
