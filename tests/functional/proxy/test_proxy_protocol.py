"""Goal: on a listener with proxy_protocol the client is the header's, from
trusted peers alone, and a connection without the header ends."""

import os
import socket
import struct
import subprocess

import pytest

from harness import DEADLINE, DROVER, free_port, route, service, wait_for
from test_trusted_proxies import ask, connect

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
V1 = b"PROXY TCP4 203.0.113.9 198.51.100.1 4711 443\r\n"


def v2(command, family, payload):
    return SIGNATURE + bytes([command, family]) + struct.pack(
        ">H", len(payload)) + payload


V4 = socket.inet_aton("203.0.113.9") + socket.inet_aton("198.51.100.1") + \
    struct.pack(">HH", 4711, 443)
V6 = socket.inet_pton(socket.AF_INET6, "2001:db8::7") + bytes(16) + \
    struct.pack(">HH", 4711, 443)
MAPPED = socket.inet_pton(socket.AF_INET6, "::ffff:203.0.113.9") + \
    bytes(16) + struct.pack(">HH", 4711, 443)
TLV = b"\x04\x00\x05hello"

HEADERS = {
    "v1": (V1, "203.0.113.9"),
    "v1, IPv6": (b"PROXY TCP6 2001:db8::7 ::1 1 2\r\n", "2001:db8::7"),
    "v1 of a check": (b"PROXY UNKNOWN\r\n", "127.0.0.1"),
    "v2": (v2(0x21, 0x11, V4), "203.0.113.9"),
    "v2, IPv6": (v2(0x21, 0x21, V6), "2001:db8::7"),
    "v2, IPv4 as IPv6": (v2(0x21, 0x21, MAPPED), "203.0.113.9"),
    "v2 with TLVs": (v2(0x21, 0x11, V4 + TLV * 400), "203.0.113.9"),
    "v2 of a check": (v2(0x20, 0x00, b""), "127.0.0.1"),
}

WRONG = {
    "HTTP": b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "bad v1": b"PROXY TCP4 203.0.113.9\r\n",
    "endless v1": b"PROXY UNKNOWN " + b"x" * 200,
    "v2 above the cap": v2(0x21, 0x11, V4 + TLV * 600),
    "v2 with a TLV beyond the end": v2(0x21, 0x11, V4 + b"\x04\x00\x09x"),
    "half a header": V1[:20],
}


@pytest.fixture(name="start")
def fixture_start(drover, backend, place):
    """A gateway with a listener for the header; returns its port, too."""
    def start(trusted=("127.0.0.1",), timeout="5s"):
        port = free_port()
        d = drover(services=[service("b", backend().address)],
                   workers=1, routes=[route("/", "b")],
                   log={"access": os.path.join(place, "access.log")},
                   listen=[{"address": f"127.0.0.1:{port}",
                            "proxy_protocol": True}],
                   client={"trusted_proxies": list(trusted),
                           "header_timeout": timeout})
        return d, port
    yield start


def expect_end(sock):
    sock.settimeout(DEADLINE)
    try:
        assert sock.recv(1) == b""
    except ConnectionResetError:
        pass


def test_the_client_is_the_header_s(start, place):
    _, port = start()
    for header, client in HEADERS.values():
        with connect(port) as s:
            s.sendall(header)
            for _ in range(2):
                seen = ask(s)
                assert seen["x-real-ip"] == [client]
                assert seen["x-forwarded-for"] == [client]

    def logged():
        with open(os.path.join(place, "access.log"), encoding="utf-8") as f:
            return [line.split(" ")[0] for line in f]

    want = [client for _, client in HEADERS.values() for _ in range(2)]
    wait_for(lambda: logged() == want, "the access log has the clients")


def test_header_and_request_in_any_pieces(start):
    _, port = start()
    for header, client in (HEADERS["v1"], HEADERS["v2, IPv6"]):
        for size in (1, 7, 1000):
            data = header + b"GET / HTTP/1.1\r\nHost: a\r\n"
            with connect(port) as s:
                s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                for i in range(0, len(data), size):
                    s.sendall(data[i:i + size])
                s.sendall(b"X-A: b\r\n\r\n")
                s.settimeout(DEADLINE)
                assert client.encode() in s.recv(65536)


def test_the_header_s_client_is_judged_anew(start):
    """Fields count when the client of the header is a trusted proxy itself."""
    _, port = start(["127.0.0.1", "203.0.113.9"])
    fields = "X-Forwarded-For: 198.51.100.77\r\n"
    with connect(port) as s:
        s.sendall(V1)
        assert ask(s, fields)["x-real-ip"] == ["198.51.100.77"]
    with connect(port) as s:
        s.sendall(HEADERS["v1, IPv6"][0])
        assert ask(s, fields)["x-real-ip"] == ["2001:db8::7"]


def test_without_a_header_the_connection_ends(start):
    d, port = start()
    for wrong in WRONG.values():
        with connect(port) as s:
            s.sendall(wrong)
            if wrong == WRONG["half a header"]:
                s.shutdown(socket.SHUT_WR)
            expect_end(s)
    # A mere check of the port, and one line in 10 s for the rest.
    connect(port).close()
    assert d.count_log("closed: .*PROXY protocol") == 1
    wait_for(lambda: d.total("connections_refused") == len(WRONG),
             "all are counted")
    with connect(port) as s:
        s.sendall(V1)
        assert ask(s)["x-real-ip"] == ["203.0.113.9"]


def test_a_late_header_ends_the_connection(start):
    d, port = start(timeout="50ms")
    with connect(port) as s:
        s.sendall(V1[:9])
        expect_end(s)
    d.wait_log("connection from 127.0.0.1:[0-9]+ closed: its PROXY protocol "
               "header is late")


def test_a_stranger_may_not_connect(start):
    d, port = start(["10.0.0.0/8"])
    with connect(port) as s:
        try:
            s.sendall(V1 + b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        except OSError:
            pass
        expect_end(s)
    d.wait_log("closed: only client.trusted_proxies may send the PROXY")


def test_a_drain_waits_for_the_header(start):
    d, port = start()
    with connect(port) as s:
        s.sendall(V1[:9])
        with connect(port) as other:
            other.sendall(V1)
            ask(other)
        d.signal(15)
        d.wait_log("draining")
        s.sendall(V1[9:])
        assert ask(s)["x-real-ip"] == ["203.0.113.9"]
    d.wait_exit()


def test_nobody_could_send_the_header(place):
    path = os.path.join(place, "wrong.yaml")
    with open(path, "w", encoding="utf-8") as f:
        f.write("listen:\n  - address: '*:1'\n    proxy_protocol: true\n"
                "routes: [{ path: /, handler: health }]\n")
    result = subprocess.run([DROVER, "-t", "-c", path], check=False,
                            capture_output=True, text=True)
    assert result.returncode == 78
    assert (f"{path}:3: listen[0].proxy_protocol: needs the senders of the "
            "header in `client.trusted_proxies`") in result.stderr
