"""Goal: what is wrong with a request is said in JSON with the right status,
and nothing that two servers could read in two ways gets through."""

import pytest

from harness import Raw, respond, route, service, wait_for

GET = "GET / HTTP/1.1\r\nHost: a\r\n"
POST = "POST / HTTP/1.1\r\nHost: a\r\n"

SMUGGLING = {
    "not HTTP": "hello there\r\n\r\n",
    "TLS": "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "HTTP/0.9": "GET /\r\n",
    "no Host": "GET / HTTP/1.1\r\n\r\n",
    "two Hosts": GET + "Host: b\r\n\r\n",
    "bad Host": "GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
    "length and chunked": POST + "Content-Length: 4\r\n"
    "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /secret HTTP/1.1\r\n",
    "chunked and length": POST + "Transfer-Encoding: chunked\r\n"
    "Content-Length: 4\r\n\r\n0\r\n\r\n",
    "two lengths": POST + "Content-Length: 4\r\nContent-Length: 5\r\n\r\n1234",
    "signed length": POST + "Content-Length: +4\r\n\r\n1234",
    "a list of lengths": POST + "Content-Length: 4, 4\r\n\r\n1234",
    "two codings": POST + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "a coding twice": POST + "Transfer-Encoding: chunked\r\n"
    "Transfer-Encoding: identity\r\n\r\n0\r\n\r\n",
    "a hidden coding": POST + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "coding behind a bare CR": GET + "X: a\rTransfer-Encoding: chunked\r\n"
    "\r\n",
    "bare LF": "GET / HTTP/1.1\nHost: a\n\n",
    "folded line": GET + "X: a\r\n b\r\n\r\n",
    "NUL": GET + "X: a\0b\r\n\r\n",
    "no name": GET + ": a\r\n\r\n",
    "blank before the first": "GET / HTTP/1.1\r\n Host: a\r\n\r\n",
    "fragment": "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n",
    "bad chunk": POST + "Transfer-Encoding: chunked\r\n\r\nx\r\n",
}


@pytest.fixture
def gateway(drover, backend):
    b = backend()
    return drover(services=[service("b", b.address)],
                  routes=[route("/", "b"), respond("/own", {"ok": True})],
                  client={"header": "2k", "body": "1000",
                          "header_timeout": "200ms"})


def assert_json_error(response, status):
    assert response.status == status, response
    assert response.headers["content-type"] == "application/json"
    error = response.json()
    assert error["status"] == status and error["error"]


def test_ambiguous_requests_are_refused(gateway):
    for name, text in SMUGGLING.items():
        with gateway.raw() as c:
            c.send(text.encode("latin-1"))
            response = c.response()
            print(name, response)
            assert_json_error(response, 400)
            assert response.headers["connection"] == "close"
            # One answer, and the end: nothing behind it was a request.
            assert c.is_closed()
    # None of it reached the backend: its first request comes now.
    assert gateway.get("/").json()["connection"] == 1 or \
        gateway.service("b")["requests"] <= 2


def test_other_refusals(gateway):
    for text, status in (
            ("GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
            (POST + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 501),
            ("BREW / HTTP/1.1\r\nHost: a\r\n\r\n", 501),
            ("CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n", 501),
            (GET + "X: " + "x" * 3000 + "\r\n\r\n", 431),
            (GET + "X: 1\r\n" * 120 + "\r\n", 431),
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


def test_late_head(gateway):
    with gateway.raw() as c:
        c.send("GET / HTTP/1.1\r\nHos")
        assert_json_error(c.response(), 408)
        assert c.is_closed()


def test_a_body_at_the_cap_passes(gateway):
    assert gateway.request("POST", "/", body=b"x" * 1000).json()["body"] == 1000


def test_refusals_are_counted(gateway):
    for _ in range(3):
        with Raw(gateway.port) as c:
            c.send("nonsense\r\n\r\n")
            c.response()
    wait_for(lambda: gateway.total("bad_requests") == 3, "three on record")
