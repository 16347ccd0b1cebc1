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


def ask_half(d):
    s = connect(d)
    s.sendall(b"GET /healthz HTTP/1.1\r\n")
    return s


def is_refused(d):
    with connect(d) as s:
        try:
            s.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
            return s.recv(1) == b""
        except ConnectionError:
            return True


def test_a_burst_of_refusals_is_one_line(drover):
    """A connection with half a request is not idle, once the half is read."""
    d = drover(routes=[])
    half = []

    def is_full():
        half.append(ask_half(d))
        return len(half) > MAX and is_refused(d)

    try:
        wait_for(is_full, "a connection is refused")
        for _ in range(5):
            assert is_refused(d)
    finally:
        for s in half:
            s.close()
    assert d.log().count("admin: connections refused") == 1
    wait_for(lambda: not is_refused(d), "they have left")
