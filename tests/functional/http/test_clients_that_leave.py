"""Goal: a client that leaves in mid-request while its backend answers costs
one request, and never the worker."""

import socket

import pytest

from harness import in_parallel, is_alive, respond, route, service

TRIES = 2000
THREADS = 4

# A client's last bytes, and the two writes of the backend's response.
EXPECTING = (
    b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
    b"Content-Length: 5\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
HALF_A_BODY = (
    b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf",
    b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n",
    b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno")
SWITCHING = (
    b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n",
    b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n",
    b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
    b"Upgrade: x\r\n\r\n")


def in_two_writes(interim, final):
    """A backend that begins its response at once, before any body."""
    def handle(connection):
        while connection.read_request(body=False) is not None:
            connection.send(interim)
            connection.send(final)
    return handle


@pytest.mark.parametrize("words, interim, final",
                         [EXPECTING, HALF_A_BODY, SWITCHING],
                         ids=["expecting", "half a body", "switching"])
def test_the_worker_survives(drover, backend, words, interim, final):
    b = backend(in_two_writes(interim, final))
    d = drover(services=[service("b", b.address)], routes=[route("/", "b"), respond("/own", 1)])
    workers = d.workers()

    def leave(_):
        for _ in range(TRIES // THREADS):
            with socket.create_connection(("127.0.0.1", d.port)) as s:
                s.sendall(words)

    in_parallel(THREADS, leave)
    d.wait_in_flight(0)
    assert d.get("/own").status == 200
    assert all(is_alive(pid) for pid in workers), d.log()
    assert d.workers() == workers
