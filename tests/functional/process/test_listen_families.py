"""Goal: `*` takes clients of IPv4 and IPv6, `0.0.0.0` and `[::]` take one
family each, in every accept mode, and over the death of a worker."""

import contextlib
import json
import socket

import pytest

from harness import free_port, route, service

MODES = ["reuseport", "reuseport_plain", "shared"]


@pytest.fixture(autouse=True, scope="module")
def ipv6():
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("no IPv6 here")


def ask(host, port):
    """The address of the client, as the backend was told; None: refused."""
    try:
        sock = socket.create_connection((host, port), 10)
    except ConnectionRefusedError:
        return None
    with contextlib.closing(sock):
        sock.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        answer = b""
        while data := sock.recv(65536):
            answer += data
    head, body = answer.split(b"\r\n\r\n", 1)
    assert head.startswith(b"HTTP/1.1 200 "), answer
    pairs = dict(json.loads(body)["headers"])
    return pairs["x-real-ip"], pairs["x-forwarded-for"]


V4, V6 = ("127.0.0.1", "127.0.0.1"), ("::1", "::1")


@pytest.fixture
def start(drover, backend):
    def listen(*addresses, accept="reuseport", **more):
        port = free_port()
        d = drover(
            listen=[{"address": f"{a}:{port}", "accept": accept}
                    for a in addresses],
            routes=[route("/", "s")],
            services=[service("s", backend().address)], **more)
        return d, port
    return listen


@pytest.mark.parametrize("accept", MODES)
def test_every_address(start, accept):
    d, port = start("*", accept=accept)
    for _ in range(8):
        assert ask("127.0.0.1", port) == V4
        assert ask("::1", port) == V6
    d.kill_worker(0)
    for _ in range(8):
        assert ask("127.0.0.1", port) == V4
        assert ask("::1", port) == V6


def test_one_family(start):
    _, port = start("0.0.0.0")
    assert ask("127.0.0.1", port) == V4
    assert ask("::1", port) is None
    _, port = start("[::]", name="other")
    assert ask("127.0.0.1", port) is None
    assert ask("::1", port) == V6


@pytest.mark.parametrize("accept", MODES)
def test_both_families_apart(start, accept):
    _, port = start("[::]", "0.0.0.0", accept=accept)
    assert ask("127.0.0.1", port) == V4
    assert ask("::1", port) == V6


def test_the_admin_endpoint(start):
    port = free_port()
    d, _ = start("127.0.0.1", admin={"address": f"*:{port}"}, ready=False)
    d.wait_log("ready: 2 of 2 workers")
    for host in ("127.0.0.1", "::1"):
        with socket.create_connection((host, port), 10) as sock:
            sock.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
            assert sock.recv(4096).startswith(b"HTTP/1.1 200 ")


def test_a_taken_port_is_busy(start):
    """An address of another process, in either family."""
    for host, family in (("0.0.0.0", socket.AF_INET),
                         ("::1", socket.AF_INET6)):
        with socket.create_server((host, 0), family=family) as other:
            port = other.getsockname()[1]
            d, _ = start("127.0.0.1", ready=False, name=f"on{port}",
                         admin={"address": f"*:{port}"})
            assert d.wait_exit() == 75
            d.is_over = True
