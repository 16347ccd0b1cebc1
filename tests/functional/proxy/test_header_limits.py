"""Goal: bytes alone limit a head. A response that a limit or a check of ours
refuses is a 502 without blame, and the log says which byte or field it was."""

import pytest

from harness import Raw, respond, route, service, wait_for

GET = "GET {} HTTP/1.1\r\nHost: a\r\n"
MANY = "".join(f"X{i}: {i}\r\n" for i in range(500))
SWITCH = "Connection: Upgrade\r\nUpgrade: websocket\r\n"
BREAKER = {"failures": 3, "window": "10s", "open_for": "60s"}


def answers(table):
    """A backend with a response for each target, else a short one."""
    def handle(connection):
        while (request := connection.read_request()) is not None:
            if request.target in table:
                connection.send(table[request.target])
            else:
                connection.reply(str(len(request.pairs)))
    return handle


@pytest.fixture(name="start")
def fixture_start(drover, backend):
    def start(table, client=None, **more):
        return drover(workers=1, client=client or {},
                      services=[service("s", backend(answers(table)).address,
                                        breaker=BREAKER, **more)],
                      routes=[route("/", "s")])
    return start


def count(pairs):
    return sum(name.startswith("x") and name[1:].isdigit()
               for name, _ in pairs)


def test_many_fields_pass(start):
    d = start({
        "/response": "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n" + MANY +
                     "\r\nok",
        "/interim": "HTTP/1.1 103 Early Hints\r\n" + MANY +
                    "\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        "/trailers": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                     "2\r\nok\r\n0\r\n" + MANY + "\r\n",
        "/switch": "HTTP/1.1 101 Switching Protocols\r\n" + SWITCH + MANY +
                   "\r\nbytes"})
    with d.raw() as c:
        for _ in range(3):
            c.send(GET.format("/") + MANY + "\r\n")
            assert int(c.response().body) > 500
            c.send(GET.format("/response") + "\r\n")
            assert count(c.response().pairs) == 500
        c.send(GET.format("/interim") + "\r\n")
        hint = c.response()
        assert hint.status == 103 and count(hint.pairs) == 500
        assert c.response().status == 200
        c.send(GET.format("/trailers") + "\r\n")
        assert count(c.response().trailers) == 500
        c.send(GET.format("/switch") + SWITCH + MANY + "\r\n")
        switched = c.response()
        assert switched.status == 101 and count(switched.pairs) == 500
        assert c.file.read(5) == b"bytes"


def test_the_largest_heads_pass(start):
    """Of fields as short as can be, which must not grow on their way."""
    head = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n"
    short = "a:\r\n" * ((65536 - len(head) - 2) // 4)
    d = start({"/": head + short + "\r\n"}, client={"headers": "64k"},
              headers="64k")
    lines = GET.format("/")
    with d.raw() as c:
        for _ in range(2):
            c.send(lines + "a:\r\n" * ((65536 - len(lines) - 2) // 4) + "\r\n")
            response = c.response()
            assert response.status == 200
            assert sum(n == "a" for n, _ in response.pairs) == \
                short.count("\r\n")


@pytest.mark.parametrize("limit", ["16k", "64k"])
def test_a_response_above_the_limit(start, limit):
    large = ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n"
             f"X-Large: {'x' * 20000}\r\n\r\n")
    d = start({"/large": large}, headers=limit, eject={"failures": 2})
    with d.client() as c:
        for _ in range(5):
            response = c.get("/large")
            if limit == "64k":
                assert response.status == 200
                continue
            assert response.status == 502
            assert "service.headers: 16384 bytes" in response.json()["error"]
        # Neither breaker nor ejection has counted.
        assert c.get("/").status == 200
    assert d.service("s")["failures"] == 0
    if limit == "16k":
        d.wait_log(r"endpoint 127.0.0.1:\d+ of s: response refused: head or "
                   r"trailers too large \(service.headers: 16384 bytes\), in "
                   r"field X-Large")
        assert d.count_log("response refused") < 5


@pytest.mark.parametrize("field, words", [
    ("Set-Cookie: secret\x01\r\n", "byte 0x01 at 35, in field Set-Cookie"),
    ("X Y: secret\r\n", "byte 0x20 at 18, in field X"),
    ("X: a\r\n secret\r\n", "byte 0x20 at 23, in field X"),
    ("Content-Length: 1\r\nContent-Length: 2\r\n", "Content-Length: `1`"),
    ("Transfer-Encoding: gzip, chunked\r\n", "`gzip\\x2c chunked`")])
def test_a_response_that_a_check_refuses(start, field, words):
    d = start({"/bad": "HTTP/1.1 200 OK\r\n" + field + "\r\n"},
              eject={"failures": 2})
    with d.client() as c:
        for _ in range(5):
            assert c.get("/bad").status == 502
        assert c.get("/").status == 200
    assert d.service("s")["failures"] == 0
    wait_for(lambda: words in d.log(), words)
    assert "secret" not in d.log()


@pytest.mark.parametrize("junk", ["220 ready\r\n\r\n", "\x16\x03\x01",
                                  "HTTP/2.0 200 OK\r\n\r\n", ""],
                         ids=["ftp", "tls", "http2", "end"])
def test_what_is_no_http_is_the_services_failure(drover, backend, junk):
    def handle(connection):
        connection.read_request()
        connection.send(junk)

    d = drover(workers=1, services=[service("s", backend(handle).address,
                                            breaker=BREAKER)],
               routes=[route("/", "s")])
    with d.client() as c:
        assert [c.get("/").status for _ in range(4)] == [502] * 3 + [503]


def test_a_check_whose_response_is_refused(drover, backend):
    """The endpoint stays as it is."""
    bad = backend(answers({"/health":
                           "HTTP/1.1 200 OK\r\nX: \x01\r\n\r\n"}))
    d = drover(workers=1, services=[service(
        "s", bad.address, health={"path": "/health", "interval": "20ms",
                                  "fall": 1})], routes=[route("/", "s")])
    d.wait_log("response refused: control character in a field")
    wait_for(lambda: bad.connections > 5, "several checks")
    assert d.get("/").status == 200
    assert not d.count_log("down, ")


@pytest.mark.parametrize("text, status, words", [
    (GET.format("/") + "X-Long: " + "x" * 2100, 431,
     "(client.headers: 2048 bytes), in field X-Long"),
    ("GET /" + "x" * 1100, 414, "(client.target: 1024 bytes)"),
    (GET.format("/") + "X: \x01\r\n\r\n", 400, "byte 0x01 at 28, in field X"),
    ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n", 413,
     "(client.body: 10 bytes)")], ids=["head", "target", "byte", "body"])
def test_a_refused_request_is_told_why(drover, text, status, words):
    d = drover(routes=[respond("/", "ok")],
               client={"headers": "2k", "target": "1k", "body": "10"})
    with Raw(d.port) as c:
        c.send(text)
        response = c.response()
    assert response.status == status
    assert words in response.json()["error"]
