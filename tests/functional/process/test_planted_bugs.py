"""Goal: a broken invariant of one request, exchange or backend connection
costs that one, is told and counted, and everybody else is served on.

The program is built with bugs on purpose, which a backend's status sets off
(tests/planted), with the release build's checks, and with ASan: what follows
a bug must be sound."""

import os
import re

import pytest

from harness import Drover, route, service

PLANTED = os.path.abspath("build/planted/drover-planted")


class Planted(Drover):
    def check_log(self):
        assert not re.search(r"ERROR: \w+Sanitizer|runtime error:",
                             self.log()), self.log()


def answer(connection):
    """With the status that the path asks for."""
    while (request := connection.read_request()) is not None:
        connection.reply(status=f"{request.target[1:]} X")


@pytest.mark.parametrize("status, says", [
    (299, r"connection \d+, active, GET on route /, request \w{32} with 0 bytes "
          r"of body, response 299"),
    (298, r"exchange with b, route /, request \w{32}, ended, to be ended"),
    (297, r"upstream \d+ \(127.0.0.1:\d+\), idle, to be idle"),
    (296, r"exchange with b, route /, request \w{32}, streaming, to be "
          r"connecting"),
])
def test_the_neighbours_are_served(place, backend, status, says):
    b = backend(answer)
    d = Planted(place, program=PLANTED, workers=1,
                services=[service("b", b.address)], routes=[route("/", "b")])
    try:
        workers = d.workers()
        with d.raw() as neighbour:
            neighbour.send("GET /200 HTTP/1.1\r\nHost: a\r\n\r\n")
            assert neighbour.response().status == 200
            for n in range(1, 4):
                with d.raw() as c:
                    c.send(f"GET /{status} HTTP/1.1\r\nHost: a\r\n\r\n")
                    c.end_sending()
                    c.rest()
                d.wait_in_flight(0)
                assert d.total("bugs") == n, d.log()
                neighbour.send("GET /200 HTTP/1.1\r\nHost: a\r\n\r\n")
                assert neighbour.response().status == 200
        assert d.count_log(rf"bug: \S+:\d+: .* does not hold: {says}") == 3
        assert 'drover_bugs_total{worker="1"} 3' in d.admin(
            "/metrics").body.decode()
        assert d.workers() == workers
    finally:
        d.stop()
