"""Goal: with send_proxy each connection to a service names its client first,
and serves no other client."""

import json
import socket
import struct

import pytest

from harness import free_port, route, service, wait_for
from test_trusted_proxies import ask, connect

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


def read_header(file):
    """(source, port) or a word, of a connection's first bytes."""
    start = file.read(1)
    if start == b"P":
        words = file.readline().decode().split()
        if words[:2] == ["ROXY", "UNKNOWN"]:
            return "unknown"
        assert words[0] == "ROXY" and len(words) == 6, words
        assert words[1] == ("TCP6" if ":" in words[2] else "TCP4")
        return words[2], int(words[4])
    assert start + file.read(11) == SIGNATURE
    command, family, size = struct.unpack(">BBH", file.read(4))
    rest = file.read(size)
    if command == 0x20:
        return "unknown"
    assert command == 0x21
    kind, length = {0x11: (socket.AF_INET, 4),
                    0x21: (socket.AF_INET6, 16)}[family]
    return (socket.inet_ntop(kind, rest[:length]),
            struct.unpack(">H", rest[2 * length:2 * length + 2])[0])


class Echo:
    """Handles connections of a backend: the header, then requests, each
    answered with the header's words as further fields."""

    def __init__(self):
        self.checks = 0

    def __call__(self, connection):
        who = read_header(connection.file)
        while (request := connection.read_request()) is not None:
            if request.target == "/check":
                assert who == "unknown"
                self.checks += 1
                connection.reply()
                continue
            connection.reply(json.dumps({"headers": [
                *request.pairs, ["number", str(connection.number)],
                ["who", " ".join(map(str, who))]]}))


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_a_connection_belongs_to_one_client(drover, backend, version):
    echo = Echo()
    b = backend(echo)
    d = drover(workers=1, routes=[route("/", "b")],
               client={"trusted_proxies": ["127.0.0.9"]},
               services=[service("b", b.address, send_proxy=version,
                                 health={"path": "/check",
                                         "interval": "10ms"})])
    with connect(d.port) as one, connect(d.port, "127.0.0.2") as two:
        for _ in range(3):
            seen = [ask(one), ask(two)]
            for s, values in zip((one, two), seen):
                host, port = s.getsockname()
                assert values["who"] == [f"{host} {port}"]
            assert seen[0]["number"] != seen[1]["number"]
            last = seen
        # Kept alive, each for its own client.
        assert [ask(one)["number"], ask(two)["number"]] == \
            [v["number"] for v in last]
    # Behind a trusted proxy, the client that the proxy names.
    with connect(d.port, "127.0.0.9") as front:
        for client in ("203.0.113.9", "2001:db8::7", "203.0.113.9"):
            values = ask(front, f"X-Forwarded-For: {client}\r\n")
            assert values["who"] == [f"{client} 0"]
    wait_for(lambda: echo.checks > 3, "checks come")


def test_past_the_cap_connections_of_others_make_room(drover, backend):
    b = backend(Echo())
    d = drover(workers=1, routes=[route("/", "b")],
               services=[service("b", b.address, send_proxy="v2",
                                 pool={"connections": 1})])
    with connect(d.port) as one, connect(d.port, "127.0.0.2") as two:
        for _ in range(3):
            for s in (one, two):
                assert ask(s)["who"] == ["{} {}".format(*s.getsockname())]


def test_a_body_leaves_behind_header_and_head(drover, backend):
    bodies = []

    def keep(connection):
        bodies.append(read_header(connection.file))
        bodies.append(connection.read_request().body)
        connection.reply()

    d = drover(workers=1, routes=[route("/", "b")],
               services=[service("b", backend(keep).address,
                                 send_proxy="v1")])
    with connect(d.port) as s:
        s.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n"
                  b"hello")
        assert s.recv(65536).startswith(b"HTTP/1.1 200 ")
        assert bodies == [s.getsockname(), b"hello"]


def test_from_tier_to_tier(drover, backend):
    """A balancer names the client to a gateway in the same way."""
    port = free_port()
    drover(name="gateway", workers=1, routes=[route("/", "b")],
           listen=[{"address": f"127.0.0.1:{port}", "proxy_protocol": True}],
           client={"trusted_proxies": ["127.0.0.1"]},
           services=[service("b", backend().address)])
    for version in ("v1", "v2"):
        lb = drover(name=f"lb-{version}", workers=1, routes=[route("/", "g")],
                    services=[service("g", f"127.0.0.1:{port}",
                                      send_proxy=version,
                                      health={"path": "/",
                                              "interval": "10ms"})])
        for client in ("127.0.0.7", "127.0.0.8"):
            with connect(lb.port, client) as s:
                assert ask(s)["x-real-ip"] == [client]
