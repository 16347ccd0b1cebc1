"""Goal: what this host lacks for a connection is not the service's failure:
requests wait, and the log says once what is missing."""

import contextlib
import socket
import threading

from backends import Connection
from harness import in_parallel, route, service, wait_for


class Lazy:
    """A unix socket with a full listen queue, until it is told to accept."""

    def __init__(self, place):
        self.path = f"{place}/lazy"
        self.stack = contextlib.ExitStack()
        self.listener = self.stack.enter_context(socket.socket(socket.AF_UNIX))
        self.listener.bind(self.path)
        self.listener.listen(0)
        try:
            while True:
                filler = self.stack.enter_context(
                    socket.socket(socket.AF_UNIX))
                filler.setblocking(False)
                filler.connect(self.path)
        except BlockingIOError:
            pass

    def accept(self):
        def serve(connection):
            while connection.read_request() is not None:
                connection.reply("late")

        def run():
            with contextlib.suppress(OSError):
                while True:
                    sock, _ = self.listener.accept()
                    self.stack.callback(sock.close)
                    threading.Thread(target=serve, daemon=True, args=(
                        Connection(sock, 0),)).start()

        threading.Thread(target=run, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.stack.close()


def start(drover, lazy, **more):
    return drover(workers=1, routes=[route("/", "s")],
                  services=[service("s", f"unix:{lazy.path}", retries=0,
                                    breaker={"failures": 1}, **more)])


def assert_not_blamed(d):
    assert d.count_log("passed over for") == 0
    assert d.count_log("closed -> open") == 0
    assert d.count_log("this host lacks what a connection to unix:.* needs: "
                       "EAGAIN, Resource temporarily unavailable; failures "
                       "since the last such line: 1$") == 1
    assert d.count_log("this host lacks") == 1


def test_requests_wait_until_the_host_has_room(drover, place):
    with Lazy(place) as lazy:
        d = start(drover, lazy)
        statuses = []
        thread = threading.Thread(target=lambda: statuses.extend(
            in_parallel(8, lambda i: d.get("/").status)))
        thread.start()
        d.wait_in_flight(8)
        d.wait_log("EAGAIN")
        lazy.accept()
        thread.join()
        assert statuses == [200] * 8
        assert_not_blamed(d)


def test_sources_take_turns(drover, backend):
    seen = []

    def handle(connection):
        connection.read_request()
        seen.append(connection.sock.getpeername()[0])
        connection.reply(headers="Connection: close\r\n")

    d = drover(workers=1, routes=[route("/", "s")],
               services=[service("s", backend(handle).address,
                                 source=["127.0.0.2", "127.0.0.3"])])
    for _ in range(4):
        assert d.get("/").status == 200
    assert seen == ["127.0.0.2", "127.0.0.3"] * 2


def test_out_of_ports_at_one_source(drover, backend):
    """No port is free at an address that is not this machine's."""
    d = drover(workers=1, routes=[route("/", "s")],
               services=[service("s", backend().address,
                                 source=["192.0.2.1", "127.0.0.2"])])
    for _ in range(4):
        assert d.get("/", Connection="close").status == 200
    assert d.count_log("services.0..source.0.: `192.0.2.1` is no address of "
                       "this machine: connections from it fail") == 1
    assert d.count_log("passed over for|this host lacks") == 0


def test_out_of_ports(drover, backend):
    d = drover(workers=1, routes=[route("/", "s")],
               services=[service("s", backend().address, retries=0,
                                 source=["192.0.2.1"],
                                 health={"path": "/", "interval": "50ms",
                                         "fall": 1},
                                 pool={"queue_timeout": "300ms"},
                                 breaker={"failures": 1})])
    assert in_parallel(10, lambda i: d.get("/").status) == [503] * 10
    assert d.count_log("passed over for|closed -> open|checks failed") == 0
    assert d.count_log("this host lacks what a connection to .* needs: "
                       "EADDRNOTAVAIL, Cannot assign requested address; "
                       "failures since the last such line: 1$") == 1
    assert d.count_log("this host lacks") == 1


def test_too_long_a_wait_is_503(drover, place):
    with Lazy(place) as lazy:
        d = start(drover, lazy, pool={"queue_timeout": "300ms"})
        for _ in range(2):
            answer = d.get("/")
            assert answer.status == 503
            assert answer.headers["retry-after"] == "1"
            assert "this host is out of ports" in answer.json()["error"]
        lazy.accept()
        wait_for(lambda: d.get("/").status == 200, "it is served")
        assert_not_blamed(d)


def test_a_service_that_does_not_accept_is_down(drover, place, backend):
    """Its listen queue is full, and so it fails its checks. Meanwhile another
    endpoint gets the requests at once."""
    with Lazy(place) as lazy:
        d = drover(workers=1, routes=[route("/", "s")], services=[
            service("s", f"unix:{lazy.path}", backend().address,
                    health={"path": "/", "interval": "50ms", "fall": 2})])
        for _ in range(4):
            assert d.get("/").status == 200
        d.wait_log(r"unix:.* of s: down, 2 checks failed: .*EAGAIN")
        lazy.accept()
        d.wait_log(r"unix:.* of s: up, 2 checks passed")
