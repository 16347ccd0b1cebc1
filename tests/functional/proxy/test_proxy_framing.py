"""Goal: bodies go through both ways with any framing, and every client can tell
where its response ends."""

import socket

from backends import echo
from harness import route, service


def start(drover, backend, handle=echo, **more):
    return drover(services=[service("b", backend(handle).address)],
                  routes=[route("/", "b")], **more)


def test_keep_alive_and_head(drover, backend):
    d = start(drover, backend)
    with d.raw() as c:
        for _ in range(3):
            c.send("HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n")
            response = c.response(head_request=True)
            assert response.status == 200
            assert int(response.headers["content-length"]) > 0
            c.send("GET /x HTTP/1.1\r\nHost: a\r\n\r\n")
            assert c.response().json()["method"] == "GET"


def head_aware(connection):
    while (request := connection.read_request()) is not None:
        if request.method == "HEAD":
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
        else:
            connection.reply("hello")


def test_head_of_a_backend_that_knows_it(drover, backend):
    d = start(drover, backend, head_aware)
    with d.raw() as c:
        for _ in range(3):
            c.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"
                   "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            assert c.response(True).headers["content-length"] == "5"
            assert c.response().body == b"hello"


def test_post_with_a_length(drover, backend):
    d = start(drover, backend)
    seen = d.request("POST", "/", body=b"x" * 100000).json()
    assert seen["method"] == "POST" and seen["body"] == 100000
    assert dict(seen["headers"])["content-length"] == "100000"
    assert d.request("POST", "/", body=b"").json()["body"] == 0


def test_post_in_chunks(drover, backend):
    d = start(drover, backend)
    with d.raw() as c:
        c.send("POST / HTTP/1.1\r\nHost: a\r\n"
               "Transfer-Encoding: chunked\r\n\r\n")
        for size in (1, 2, 70000, 16384, 3):
            c.send(f"{size:x}\r\n" + "y" * size + "\r\n")
        c.send("0\r\n\r\n")
        seen = c.response().json()
        assert seen["body"] == 1 + 2 + 70000 + 16384 + 3
        headers = dict(seen["headers"])
        assert headers["transfer-encoding"] == "chunked"
        assert "content-length" not in headers
        # And the connection is good for another.
        c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert c.response().status == 200


PIECES = [b"one", b"x" * 50000, b"end"]


def chunked_answer(connection):
    while connection.read_request() is not None:
        connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
                        "\r\n")
        for piece in PIECES:
            connection.send(b"%x\r\n%s\r\n" % (len(piece), piece))
        connection.send("0\r\nX-Trailer: dropped\r\n\r\n")


def mirror(connection):
    while (request := connection.read_request()) is not None:
        connection.reply(request.body,
                         headers=f"X-Fill: {request.headers['x-fill']}\r\n")


def test_heads_before_bodies(drover, backend):
    """A new head leaves in one piece with its body: in the room of the old
    head, or behind it or in front of it, as their sizes allow. Neither may
    change, nor the pipelined bytes behind."""
    d = start(drover, backend, mirror)
    for size in (1, 2047, 2049, 16384, 60000, 66560, 80000):
        body = bytes(range(251)) * (size // 251 + 1)
        with d.raw() as c:
            for fill in ("f", "f" * 700, "f" * 1100, "f" * 9000):
                for method in ("POST", "PUT"):
                    c.send(f"{method} / HTTP/1.1\r\nHost: a\r\n"
                           f"X-Fill: {fill}\r\nContent-Length: {size}\r\n"
                           "\r\n".encode() + body[:size]
                           + b"GET / HTTP/1.1\r\nHost: a\r\n"
                             b"X-Fill: behind\r\n\r\n")
                    response = c.response()
                    assert response.headers["x-fill"] == fill
                    assert response.body == body[:size]
                    assert c.response().headers["x-fill"] == "behind"


def test_heads_without_room(drover, backend):
    """The old head lies at its block's very beginning, and the new head is
    longer: head and body have to leave as two pieces."""
    d = start(drover, backend, mirror)
    # The second request is moved to the beginning: its head has room.
    first, second = b"1" * 60000, b"2" * 40000
    with d.raw() as c:
        c.send(b"".join(b"POST / HTTP/1.1\r\nHost: a\r\nX-Fill: f\r\n"
                        b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
                        for body in (first, second)))
        assert c.response().body == first
        assert c.response().body == second


def early(connection):
    while connection.read_request() is not None:
        connection.send(b"HTTP/1.1 103 Early Hints\r\n\r\n"
                        b"HTTP/1.1 200 OK\r\nContent-Length: 16384\r\n\r\n"
                        + b"e" * 16384)


def test_answers_without_room(drover, backend):
    """The same behind an interim response, which HTTP/1.0 never gets."""
    d = start(drover, backend, early)
    with d.raw() as c:
        c.send("GET / HTTP/1.0\r\n\r\n")
        assert c.response().body == b"e" * 16384


def test_answer_in_chunks(drover, backend):
    d = start(drover, backend, chunked_answer)
    with d.raw() as c:
        for _ in range(2):
            c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            response = c.response()
            assert response.headers["transfer-encoding"] == "chunked"
            assert response.body == b"".join(PIECES)


def test_http10_client_gets_no_chunks(drover, backend):
    d = start(drover, backend, chunked_answer)
    with d.raw() as c:
        c.send("GET / HTTP/1.0\r\n\r\n")
        response = c.response()
        assert "transfer-encoding" not in response.headers
        assert response.headers["connection"] == "close"
        assert response.body == b"".join(PIECES)


def test_http10_client_may_stay(drover, backend):
    d = start(drover, backend)
    with d.raw() as c:
        for _ in range(2):
            c.send("GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n"
                   "\r\n")
            response = c.response()
            assert response.headers["connection"] == "keep-alive"
        c.send("GET / HTTP/1.0\r\n\r\n")
        assert c.response().headers["connection"] == "close"
        assert c.is_closed()


def statuses(connection):
    while (request := connection.read_request()) is not None:
        status = request.target[1:]
        connection.send(f"HTTP/1.1 {status} Fine\r\nETag: x\r\n\r\n")


def test_statuses_without_a_body(drover, backend):
    d = start(drover, backend, statuses)
    with d.raw() as c:
        for status in (204, 304, 204):
            c.send(f"GET /{status} HTTP/1.1\r\nHost: a\r\n\r\n")
            response = c.response()
            assert response.status == status
            assert response.headers["etag"] == "x"
            assert "transfer-encoding" not in response.headers


def test_head_in_single_bytes(drover, backend):
    d = start(drover, backend)
    with d.raw() as c:
        c.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in "POST /b HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi":
            c.send(byte)
        assert c.response().json()["body"] == 2


def test_connection_close_is_kept(drover, backend):
    d = start(drover, backend)
    with d.raw() as c:
        c.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert c.response().headers["connection"] == "close"
        assert c.is_closed()
