"""Goal: a backend's fault becomes a clean 502 or 504 in JSON.
test_conformance_responses.py has the tables of faulty responses."""

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


@pytest.mark.parametrize("handle", [close_at_once, reset_at_once,
                                    half_a_head])
def test_gone_before_the_response(drover, backend, handle):
    d = start(drover, backend(handle).address)
    assert_json_error(d.get("/"), 502)
    assert_json_error(d.request("POST", "/", body=b"x"), 502)


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
