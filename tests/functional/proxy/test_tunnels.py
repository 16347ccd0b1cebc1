"""Goal: tunnels have a cap of their own. Neither do tunnels keep requests
waiting, nor requests tunnels."""

import json
import threading

from harness import route, service, wait_for

ASK = ("GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n"
       "Upgrade: websocket\r\n\r\n")
YES = ("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
       "Connection: Upgrade\r\n\r\n")


def start(drover, handle, **pool):
    return drover(workers=1, routes=[route("/", "b")],
                  services=[service("b", handle.address, pool=pool)],
                  log={"access": "stdout", "format": "json"})


def switch(connection):
    while (request := connection.read_request()) is not None:
        if request.target != "/ws":
            connection.reply("plain")
            continue
        connection.send(YES)
        while data := connection.file.read1(65536):
            connection.send(data)
        return


def open_tunnel(d):
    c = d.raw()
    c.send(ASK)
    assert c.response().status == 101
    return c


def test_requests_beside_tunnels(drover, backend):
    d = start(drover, backend(switch), connections=2, queue=0)
    tunnels = [open_tunnel(d) for _ in range(5)]
    for _ in range(3):
        assert d.get("/").body == b"plain"
    for c in tunnels:
        c.send("echo")
        assert c.file.read(4) == b"echo"
        c.close()
    d.wait_in_flight(0)


def test_the_cap_of_tunnels(drover, backend):
    d = start(drover, backend(switch), connections=2, tunnels=2)
    first, second = open_tunnel(d), open_tunnel(d)
    with d.raw() as c:
        c.send(ASK)
        refused = c.response()
    assert refused.status == 503
    assert "tunnel" in json.loads(refused.body)["error"]
    assert int(refused.headers["retry-after"]) >= 1
    assert d.get("/").body == b"plain"
    wait_for(lambda: '"end":"tunnels_full"' in d.log(), "the line")
    first.close()
    wait_for(lambda: d.in_flight() == 1, "a tunnel has ended")
    third = open_tunnel(d)
    second.close()
    third.close()


def test_no_tunnel_at_all(drover, backend):
    """The backend is not asked."""
    d = start(drover, (b := backend(switch)), tunnels=0)
    with d.raw() as c:
        c.send(ASK)
        assert c.response().status == 503
    assert b.connections == 0


def test_the_last_tunnel_wanted_twice(drover, backend):
    """Both requests are on their way when the first is answered."""
    inside, go_on = [], threading.Event()

    def handle(connection):
        connection.read_request()
        inside.append(connection)
        go_on.wait(10)
        connection.send(YES)
        connection.file.read(1)

    d = start(drover, backend(handle), tunnels=1)
    clients = [d.raw(), d.raw()]
    for c in clients:
        c.send(ASK)
    wait_for(lambda: len(inside) == 2, "both are asked")
    go_on.set()
    assert sorted(c.response().status for c in clients) == [101, 503]
    for c in clients:
        c.close()
