"""Goal: a faulty request gets a JSON error with the right status.
test_conformance_refused.py has the tables of refusals."""

import pytest

from harness import Raw, respond, route, service, wait_for

GET = "GET / HTTP/1.1\r\nHost: a\r\n"
POST = "POST / HTTP/1.1\r\nHost: a\r\n"

@pytest.fixture
def gateway(drover, backend):
    b = backend()
    return drover(services=[service("b", b.address)],
                  routes=[route("/", "b"), respond("/own", {"ok": True})],
                  client={"header": "2k", "body": "1000"})


def assert_json_error(response, status):
    assert response.status == status, response
    assert response.headers["content-type"] == "application/json"
    error = response.json()
    assert error["status"] == status and error["error"]


def test_refusals(gateway):
    for text, status in (
            ("hello there\r\n\r\n", 400),
            ("GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
            ("BREW / HTTP/1.1\r\nHost: a\r\n\r\n", 501),
            (GET + "X: " + "x" * 3000 + "\r\n\r\n", 431),
            (GET + "X: 1\r\n" * 400 + "\r\n", 431),
            (POST + "Content-Length: 1001\r\n\r\n", 413),
            (POST + "Transfer-Encoding: chunked\r\n\r\n3e9\r\n" + "x" * 1001 +
             "\r\n0\r\n\r\n", 413)):
        with gateway.raw() as c:
            c.send(text)
            assert_json_error(c.response(), status)
            assert c.is_closed()


def test_no_route(drover):
    d = drover(routes=[respond("/here", 1)])
    with d.client() as c:
        for path in ("/", "/her", "/heres", "/there", "/HERE"):
            assert_json_error(c.get(path), 404)
        # The connection is kept.
        assert c.get("/here").json() == 1
        assert c.get("/here/below").json() == 1


def test_a_body_at_the_cap_passes(gateway):
    assert gateway.request("POST", "/", body=b"x" * 1000).json()["body"] == 1000


def test_refusals_are_counted(gateway):
    for _ in range(3):
        with Raw(gateway.port) as c:
            c.send("nonsense\r\n\r\n")
            c.response()
    wait_for(lambda: gateway.total("bad_requests") == 3, "three on record")


def test_a_head_that_fills_its_buffer_behind_empty_lines(drover):
    """To the byte: skipped empty lines take none of the room."""
    d = drover(workers=1, routes=[respond("/", "ok")])
    before = d.workers()
    start = "GET / HTTP/1.1\r\nHost: a\r\nX: "
    for lead in ("", "\r\n", "\r\n" * 50):
        for first in (0, 1, 2):
            for size in (16382, 16383, 16384, 16385):
                data = lead + start + "x" * (size - len(start))
                with d.raw() as c:
                    if first:
                        c.send(data[:first])
                    c.send(data[first:])
                    if size < 16384:
                        c.send("xxxx")
                    assert c.response().status == 431
    assert d.workers() == before
