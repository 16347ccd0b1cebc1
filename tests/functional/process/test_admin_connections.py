"""Goal: connections that ask nothing do not lock operators out of the admin
endpoint, and a burst of refusals is one line in the log."""

import socket

from harness import DEADLINE, wait_for

MAX = 32


def connect(d):
    return socket.create_connection(("127.0.0.1", d.admin_port), DEADLINE)


def is_open(s):
    s.setblocking(False)
    try:
        return s.recv(1, socket.MSG_PEEK) != b""
    except BlockingIOError:
        return True
    except ConnectionResetError:
        return False


def test_idle_connections_make_way(drover):
    d = drover(routes=[])
    idle = [connect(d) for _ in range(MAX)]
    try:
        for _ in range(3):
            assert d.admin("/healthz").status == 200
        # The oldest went, and no more than had to.
        wait_for(lambda: not is_open(idle[0]), "the oldest has made way")
        assert is_open(idle[-1])
    finally:
        for s in idle:
            s.close()
    assert "refused" not in d.log()


def test_half_requests_and_unread_responses_make_way(drover):
    """The oldest goes first, and the log has one line for all."""
    d = drover(routes=[])
    busy = []

    def is_announced():
        s = connect(d)
        busy.append(s)
        if len(busy) % 2:
            s.sendall(b"GET /healthz HTTP/1.1\r\n")
        else:
            s.sendall(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n" * 99)
        return d.log().count("admin: all 32 connections are busy") == 1

    try:
        wait_for(is_announced, "a busy connection makes way")
        for _ in range(2 * MAX):
            assert d.admin("/healthz").status == 200
        wait_for(lambda: not is_open(busy[0]), "the oldest has made way")
    finally:
        for s in busy:
            s.close()
    assert d.log().count("admin: all 32 connections are busy") == 1
