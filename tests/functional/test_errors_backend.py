"""Goal: what is wrong with a backend becomes a clean 502 or 504 in JSON, or,
once the response is on its way, one that is visibly cut short."""

import http.client
import socket

import pytest

from harness import free_port, route, service


def assert_json_error(response, status):
    assert response.status == status, response
    assert response.headers["content-type"] == "application/json"
    error = response.json()
    assert error["status"] == status and "service b" in error["error"]


def start(drover, address, **more):
    return drover(services=[service("b", address, **more)],
                  routes=[route("/", "b")])


def test_backend_down(drover):
    d = start(drover, f"127.0.0.1:{free_port()}")
    with d.client() as c:
        for _ in range(5):
            assert_json_error(c.get("/"), 502)
        assert_json_error(c.request("POST", "/", body=b"x"), 502)
    assert d.service("b")["failures"] == 6


def close_at_once(connection):
    connection.read_request()


def reset_at_once(connection):
    connection.read_request()
    connection.reset()


def half_a_head(connection):
    connection.read_request()
    connection.send("HTTP/1.1 200 OK\r\nContent-Le")


BAD_RESPONSES = [
    "hello\r\n\r\n",
    "HTTP/1.1 abc OK\r\n\r\n",
    "HTTP/1.1 200 OK\nContent-Length: 0\n\n",
    "HTTP/2.0 200 OK\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n"
    "\r\n0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n",
    "HTTP/1.1 200 OK\r\nX: " + "x" * 20000 + "\r\n\r\n",
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n"
    "Connection: upgrade\r\n\r\n",
]


@pytest.mark.parametrize("handle", [close_at_once, reset_at_once,
                                    half_a_head])
def test_gone_before_the_response(drover, backend, handle):
    d = start(drover, backend(handle).address)
    assert_json_error(d.get("/"), 502)
    assert_json_error(d.request("POST", "/", body=b"x"), 502)


def test_bad_http(drover, backend):
    turn = iter(BAD_RESPONSES)

    def handle(connection):
        connection.read_request()
        connection.send(next(turn))
        connection.read_request()  # until the gateway closes

    d = start(drover, backend(handle).address)
    with d.client() as c:
        for text in BAD_RESPONSES:
            response = c.get("/")
            print(text[:60], response)
            assert_json_error(response, 502)


def silent(connection):
    while connection.read_request() is not None:
        pass


def test_read_timeout(drover, backend):
    d = start(drover, backend(silent).address, timeouts={"read": "150ms"})
    assert_json_error(d.get("/"), 504)


def test_connect_timeout(drover):
    """A listener whose accept queue is full: SYNs are left unanswered."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        fillers = []
        try:
            for _ in range(8):
                fillers.append(socket.socket())
                fillers[-1].setblocking(False)
                fillers[-1].connect_ex(address)
            d = start(drover, f"127.0.0.1:{address[1]}",
                      timeouts={"connect": "150ms"})
            assert_json_error(d.get("/"), 504)
        finally:
            for s in fillers:
                s.close()


def test_stalls_in_mid_response(drover, backend):
    def handle(connection):
        connection.read_request()
        connection.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
        connection.read_request()

    d = start(drover, backend(handle).address, timeouts={"read": "150ms"})
    with d.raw() as c:
        c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert c.rest().endswith(b"\r\n\r\nabc")


CUT = {
    "length": "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
    "chunked": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    "4\r\nhalf\r\n",
    "in a chunk": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    "40\r\nhalf",
    "bad chunk": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    "4\r\nhalf\r\nnonsense\r\n",
}


@pytest.mark.parametrize("how", CUT)
@pytest.mark.parametrize("goodbye", ["close", "reset"])
def test_cut_short_is_seen_as_cut_short(drover, backend, how, goodbye):
    def handle(connection):
        connection.read_request()
        connection.send(CUT[how])
        if goodbye == "reset":
            connection.reset()

    d = start(drover, backend(handle).address)
    with d.client() as c:
        try:
            response = c.get("/")
        except (http.client.IncompleteRead, ConnectionError):
            pass
        else:
            # What is wrong, or a reset, may have come with the head.
            assert how == "bad chunk" or goodbye == "reset"
            assert_json_error(response, 502)
    with d.raw() as c:
        c.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        body = c.rest().partition(b"\r\n\r\n")[2]
        assert not body.endswith(b"0\r\n\r\n")


def test_one_bad_response_does_not_spoil_the_next(drover, backend):
    def handle(connection):
        request = connection.read_request()
        while request is not None:
            if request.target == "/bad":
                connection.send("nonsense")
                return
            connection.reply("good")
            request = connection.read_request()

    d = start(drover, backend(handle).address)
    with d.client() as c:
        for _ in range(20):
            assert c.get("/good").body == b"good"
            assert_json_error(c.get("/bad"), 502)
