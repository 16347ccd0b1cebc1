"""Goal: behind trusted proxies, every part of a gateway knows the client and
the front's words reach the service; a stranger's words count for nothing."""

import json
import os
import socket
import subprocess

import pytest

from harness import (DEADLINE, DROVER, free_port, read_head, route, service,
                     wait_for)

CLAIMS = ("X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-For: 203.0.113.9\r\n"
          "X-Real-IP: 6.6.6.6\r\n"
          "X-Forwarded-Proto: https\r\nX-Forwarded-Host: shop.example\r\n"
          "X-Forwarded-Port: 8443\r\nX-Forwarded-Prefix: /shop\r\n"
          "Forwarded: for=\"[2001:db8::1]:4711\";proto=https\r\n")
WORDS = {"x-forwarded-host": ["shop.example"], "x-forwarded-port": ["8443"],
         "x-forwarded-prefix": ["/shop"],
         "forwarded": ["for=\"[2001:db8::1]:4711\";proto=https"]}
ROUTES = [route("/", "b")]


def gateway(drover, backend, trusted, **more):
    return drover(services=[service("b", backend.address)], routes=ROUTES,
                  client={"trusted_proxies": trusted}, **more)


def ask(sock, fields=""):
    """The fields of the request as the service saw them: name to values."""
    sock.settimeout(DEADLINE)
    sock.sendall(f"GET / HTTP/1.1\r\nHost: a\r\n{fields}\r\n".encode())
    file = sock.makefile("rb")
    head = read_head(file.read).decode()
    assert head.startswith("HTTP/1.1 200 "), head
    length = int(head.lower().split("content-length: ")[1].split("\r\n")[0])
    values = {}
    for name, value in json.loads(file.read(length))["headers"]:
        values.setdefault(name, []).append(value)
    return values


def connect(port, source="127.0.0.1"):
    sock = socket.socket()
    sock.settimeout(DEADLINE)
    sock.bind((source, 0))
    sock.connect(("127.0.0.1", port))
    return sock


def test_words_of_a_trusted_proxy_reach_the_service(drover, backend):
    d = gateway(drover, backend(), ["10.0.0.0/8", "127.0.0.1"])
    with connect(d.port) as s:
        seen = ask(s, CLAIMS)
        assert seen["x-real-ip"] == ["203.0.113.9"]
        assert seen["x-forwarded-for"] == ["6.6.6.6, 203.0.113.9, 127.0.0.1"]
        assert seen["x-forwarded-proto"] == ["https"]
        for name, values in WORDS.items():
            assert seen[name] == values
        # The connection is the proxy's: its next request is another client's.
        seen = ask(s, "X-Forwarded-For: 198.51.100.1\r\n")
        assert seen["x-real-ip"] == ["198.51.100.1"]
        assert seen["x-forwarded-proto"] == ["http"]
        seen = ask(s)
        assert seen["x-real-ip"] == ["127.0.0.1"]
        assert seen["x-forwarded-for"] == ["127.0.0.1"]


@pytest.mark.parametrize("trusted", [[], ["10.0.0.0/8", "::/0", "unix"],
                                     ["127.0.0.2"]])
def test_words_of_a_stranger_are_replaced(drover, backend, trusted):
    d = gateway(drover, backend(), trusted)
    with connect(d.port) as s:
        seen = ask(s, CLAIMS)
    assert seen["x-real-ip"] == ["127.0.0.1"]
    assert seen["x-forwarded-for"] == ["127.0.0.1"]
    assert seen["x-forwarded-proto"] == ["http"]
    assert not set(WORDS) & set(seen)


def test_a_peer_of_ipv6(drover, backend):
    port = free_port()
    gateway(drover, backend(), ["::1/128"],
            listen=[{"address": f"[::1]:{port}"}])
    with socket.create_connection(("::1", port), DEADLINE) as s:
        seen = ask(s, CLAIMS)
    assert seen["x-real-ip"] == ["203.0.113.9"]
    assert seen["x-forwarded-for"] == ["6.6.6.6, 203.0.113.9, ::1"]


def test_a_peer_on_a_unix_socket(drover, backend, place):
    path = os.path.join(place, "front.sock")
    gateway(drover, backend(), ["unix"], listen=[{"address": f"unix:{path}"}])
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(path)
        seen = ask(s, CLAIMS)
    assert seen["x-real-ip"] == ["203.0.113.9"]
    assert seen["x-forwarded-for"] == ["6.6.6.6, 203.0.113.9"]
    assert seen["x-forwarded-proto"] == ["https"]


def test_two_tiers_know_the_client(drover, backend, place):
    """The balancer is a stranger's peer; the gateway behind it hashes by, and
    logs, the client."""
    log = os.path.join(place, "access.log")
    backends = [backend() for _ in range(3)]
    gw = drover(name="gateway", log={"access": log},
                services=[service("b", *[b.address for b in backends],
                                  policy="ip_hash")],
                routes=ROUTES, client={"trusted_proxies": ["127.0.0.1"]})
    lb = drover(name="lb", routes=[route("/", "gw")],
                services=[service("gw", f"127.0.0.1:{gw.port}")])
    clients = [f"127.0.0.{100 + i}" for i in range(30)]
    for client in clients:
        with connect(lb.port, client) as s:
            seen = ask(s, "X-Forwarded-For: 6.6.6.6\r\n")
        assert seen["x-real-ip"] == [client]
        assert seen["x-forwarded-for"] == [f"{client}, 127.0.0.1"]
    assert all(b.connections > 0 for b in backends)

    def logged():
        with open(log, encoding="utf-8") as f:
            return {line.split(" ")[0] for line in f}

    wait_for(lambda: logged() == set(clients), "all clients are logged")


def test_a_wrong_network_is_one_line(place):
    path = os.path.join(place, "wrong.yaml")
    with open(path, "w", encoding="utf-8") as f:
        f.write("listen: [{ address: '*:1' }]\nclient:\n"
                "  trusted_proxies:\n    - 10.0.0.0/8\n    - 10.0.0.0/99\n")
    result = subprocess.run([DROVER, "-t", "-c", path], check=False,
                            capture_output=True, text=True)
    assert result.returncode == 78
    lines = [line for line in result.stderr.splitlines() if "trusted" in line]
    assert len(lines) == 1 and f"{path}:5: client.trusted_proxies[1]: " \
        "`10.0.0.0/99` is not a network" in lines[0], result.stderr
