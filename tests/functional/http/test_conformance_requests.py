"""Goal: requests that RFC 9110 and 9112 allow get through, with the same
meaning and with Drover's framing."""

import pytest

from harness import route, wait_for
from wire import CHUNKED, GET, POST, Event, assert_kept, encode, gateway

# The bytes of a request -> the part that reaches the backend.
TARGETS = {
    "every character of a path": (
        "GET /a-._~!$&'()*+,;=:@/%7e%2F//b HTTP/1.1\r\nHost: a\r\n\r\n",
        "/a-._~!$&'()*+,;=:@/~%2F/b"),
    "every character of a query": (
        "GET /?a=-._~!$&'()*+,;=:@/?%20&&b&=c HTTP/1.1\r\nHost: a\r\n\r\n",
        "/?a=-._~!$&'()*+,;=:@/?%20&&b&=c"),
    "an empty query": ("GET /a? HTTP/1.1\r\nHost: a\r\n\r\n", "/a?"),
    "two slashes first": ("GET //a/b HTTP/1.1\r\nHost: a\r\n\r\n", "/a/b"),
    "absolute": ("GET http://real:81/p?q HTTP/1.1\r\nHost: a\r\n\r\n",
                 "/p?q"),
    "absolute, no path": ("GET http://real HTTP/1.1\r\nHost: a\r\n\r\n", "/"),
    "absolute, only a query": (
        "GET http://real?q=1 HTTP/1.1\r\nHost: a\r\n\r\n", "/?q=1"),
    "absolute, upper case": (
        "GET HTTP://real/p HTTP/1.1\r\nHost: a\r\n\r\n", "/p"),
    "absolute, https": (
        "GET https://real/p HTTP/1.1\r\nHost: a\r\n\r\n", "/p"),
    "absolute, HTTP/1.0": ("GET http://real/p HTTP/1.0\r\n\r\n", "/p"),
    "OPTIONS of a path": ("OPTIONS /p HTTP/1.1\r\nHost: a\r\n\r\n", "/p"),
    "OPTIONS of the server": ("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "*"),
    # RFC 9112 section 3.2.4.
    "OPTIONS of the server, absolute": (
        "OPTIONS http://real:81 HTTP/1.1\r\nHost: a\r\n\r\n", "*"),
    "an empty line first": ("\r\nGET /p HTTP/1.1\r\nHost: a\r\n\r\n", "/p"),
}

HOSTS = {
    "a name": ("shop.example", "shop.example"),
    "a port": ("shop.example:8080", "shop.example:8080"),
    "an address": ("127.0.0.1:80", "127.0.0.1:80"),
    "an address of version 6": ("[2001:db8::1]:8080", "[2001:db8::1]:8080"),
    "marks": ("a_b-c.~d", "a_b-c.~d"),
    "blanks around it": (" \t a:1 \t", "a:1"),
}

# Lines of a head -> (name, value) at the backend.
FIELDS = {
    "every character of a name": ("!#$%&'*+-.^_`|~09azAZ: 1",
                                  ("!#$%&'*+-.^_`|~09azaz", "1")),
    "one character": ("x: 1", ("x", "1")),
    "underscore": ("content_lengths: 99", ("content_lengths", "99")),
    "no value": ("x-empty:", ("x-empty", "")),
    "only blanks": ("x-empty: \t ", ("x-empty", "")),
    "no blank": ("x-a:b", ("x-a", "b")),
    "blanks around": ("x-a: \t b c\t \t", ("x-a", "b c")),
    "a tab inside": ("x-a: b\tc", ("x-a", "b\tc")),
    "colons": ("x-a: :b:c:", ("x-a", ":b:c:")),
    "every character of a value": (
        "x-a: " + "".join(map(chr, range(0x21, 0x7f))),
        ("x-a", "".join(map(chr, range(0x21, 0x7f))))),
    "obs-text": ("x-a: " + "".join(map(chr, range(0x80, 0x100))),
                 ("x-a", "".join(map(chr, range(0x80, 0x100))))),
    "a long name": ("x" * 500 + ": 1", ("x" * 500, "1")),
    "a long value": ("x-a: " + "v" * 6000, ("x-a", "v" * 6000)),
    "credentials": ("Authorization: Basic eDp5", ("authorization",
                                                  "Basic eDp5")),
    "Range": ("Range: bytes=0-1", ("range", "bytes=0-1")),
}

# Head lines and a body -> what arrives as framing and body.
BODIES = {
    "length": ("Content-Length: 5\r\n\r\nhello", "5", "hello"),
    "no bytes": ("Content-Length: 0\r\n\r\n", "0", ""),
    "leading zeros": ("Content-Length: 0005\r\n\r\nhello", "5", "hello"),
    "blanks around the length": ("Content-Length: \t5 \t\r\n\r\nhello", "5",
                                 "hello"),
    "chunks": (CHUNKED + "\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n", None,
               "hello"),
    "no chunk": (CHUNKED + "\r\n0\r\n\r\n", None, ""),
    "the coding in capitals": ("TRANSFER-ENCODING: CHUNKED\r\n\r\n"
                               "5\r\nhello\r\n0\r\n\r\n", None, "hello"),
    "blanks around the coding": ("Transfer-Encoding:\t chunked \t\r\n\r\n"
                                 "5\r\nhello\r\n0\r\n\r\n", None, "hello"),
    "hex in capitals": (CHUNKED + "\r\nA\r\n0123456789\r\n0\r\n\r\n", None,
                        "0123456789"),
    "hex in small letters": (CHUNKED + "\r\na\r\n0123456789\r\n0\r\n\r\n",
                             None, "0123456789"),
    "zeros before a size": (CHUNKED + "\r\n0000005\r\nhello\r\n000\r\n\r\n",
                            None, "hello"),
    "an extension": (CHUNKED + "\r\n5;a\r\nhello\r\n0;b\r\n\r\n", None,
                     "hello"),
    "an extension's value": (CHUNKED + "\r\n5;a=b;c=d\r\nhello\r\n0\r\n\r\n",
                             None, "hello"),
    "a quoted value": (CHUNKED + '\r\n5;a="q;\\"\t\\\\"\r\nhello\r\n'
                       "0\r\n\r\n", None, "hello"),
    "blanks in an extension": (CHUNKED + "\r\n5 ; a = b\r\nhello\r\n"
                               "0\r\n\r\n", None, "hello"),
    "chunk data that look like framing": (
        CHUNKED + "\r\nd\r\n0\r\n\r\nGET / \r\n\r\n0\r\n\r\n", None,
        "0\r\n\r\nGET / \r\n"),
    "every byte": ("Content-Length: 256\r\n\r\n" +
                   "".join(map(chr, range(256))), "256",
                   "".join(map(chr, range(256)))),
}

METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND",
           "REPORT"]


@pytest.fixture(name="shared", scope="module")
def fixture_shared():
    with gateway() as d:
        yield d


@pytest.fixture(name="d")
def fixture_d(shared):
    shared.recorder.reset()
    return shared


def exchange(d, data):
    """Sends the text; returns the response, and the backend's view."""
    with d.raw() as c:
        c.send(encode(data))
        response = c.response()
        assert response.status == 200, response
        seen = d.recorder.wait_seen()[0]
        if response.headers.get("connection") != "close":
            assert_kept(c)
    return seen


@pytest.mark.parametrize("name", TARGETS)
def test_targets(d, name):
    data, target = TARGETS[name]
    seen = exchange(d, data)
    assert seen.target == target
    # The authority of the target wins over Host.
    host = seen.value("host")
    assert host == {"absolute": "real:81", "OPTIONS of the server, absolute":
                    "real:81"}.get(name, "real" if "real" in data else "a")


@pytest.mark.parametrize("name", HOSTS)
def test_hosts(d, name):
    sent, want = HOSTS[name]
    seen = exchange(d, f"GET / HTTP/1.1\r\nHost:{sent}\r\n\r\n")
    assert seen.values("host") == [want]


@pytest.mark.parametrize("name", FIELDS)
def test_fields(d, name):
    line, want = FIELDS[name]
    assert want in exchange(d, GET + line + "\r\n\r\n").pairs


def test_repeated_fields_keep_their_order(d):
    seen = exchange(d, GET + "X-A: 1\r\nX-B: 2\r\nx-a: 3\r\nCookie: c=1\r\n"
                    "Cookie: d=2\r\nX-A:\r\n\r\n")
    assert seen.values("x-a") == ["1", "3", ""]
    # RFC 9110 section 5.3, but one Cookie line may be made of two (RFC 6265).
    assert seen.values("cookie") in (["c=1", "d=2"], ["c=1; d=2"])


@pytest.mark.parametrize("name", BODIES)
def test_bodies_are_framed_anew(d, name):
    data, length, body = BODIES[name]
    seen = exchange(d, POST + data)
    assert seen.body == encode(body)
    assert seen.values("content-length") == ([length] if length else [])
    assert seen.values("transfer-encoding") == ([] if length else ["chunked"])


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("body", ["", "body"])
def test_methods(d, method, body):
    length = f"Content-Length: {len(body)}\r\n" if body else ""
    seen = exchange(d, f"{method} /m HTTP/1.1\r\nHost: a\r\n{length}\r\n"
                    + body)
    assert (seen.method, seen.target, seen.body) == (method, "/m",
                                                     body.encode())


def test_options_of_a_server_without_a_catch_all():
    with gateway(routes=[route("/api", "b")]) as d, d.raw() as c:
        for request in ("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
                        "OPTIONS http://a HTTP/1.1\r\nHost: a\r\n\r\n"):
            c.send(request)
            response = c.response()
            assert response.status == 200
            allowed = response.headers["allow"].replace(" ", "").split(",")
            assert {"GET", "HEAD", "POST", "OPTIONS"} <= set(allowed)
        assert not d.recorder.seen


# ---- HTTP/1.0 ----


def test_http10(d):
    with d.raw() as c:
        c.send("GET /old HTTP/1.0\r\n\r\n")
        assert c.response().body == b"GET /old"
        assert c.is_closed()
    seen = d.recorder.wait_seen()[0]
    assert seen.line == "GET /old HTTP/1.1"


def test_http10_with_keep_alive(d):
    with d.raw() as c:
        c.send("POST /1 HTTP/1.0\r\nConnection: Keep-Alive\r\n"
               "Content-Length: 3\r\n\r\nabc"
               "GET /2 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        for target in ("POST /1", "GET /2"):
            response = c.response()
            assert response.body == target.encode()
            assert response.headers["connection"].lower() == "keep-alive"
        assert_kept(c)


@pytest.mark.parametrize("first", [
    "GET /1 HTTP/1.0\r\n\r\n",
    "GET /1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    "GET /1 HTTP/1.1\r\nHost: a\r\nConnection: x, Close\r\n\r\n",
    "GET /1 HTTP/1.0\r\nConnection: close, keep-alive\r\n\r\n"])
def test_nothing_is_asked_after_close(d, first):
    with d.raw() as c:
        c.send(first + "GET /never HTTP/1.1\r\nHost: a\r\n\r\n")
        response = c.response()
        assert response.body == b"GET /1"
        assert response.headers["connection"] == "close"
        assert c.rest() == b""
    assert [s.target for s in d.recorder.wait_seen()] == ["/1"]


# ---- pipelining ----


PIPELINE = [
    ("GET /1 HTTP/1.1\r\nHost: a\r\n\r\n", b"GET /1"),
    ("POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
     b"POST /2"),
    ("HEAD /3 HTTP/1.1\r\nHost: a\r\n\r\n", b""),
    ("PUT /4 HTTP/1.1\r\nHost: a\r\n" + CHUNKED +
     "\r\n2;x=y\r\nab\r\n0\r\nX-T: 1\r\n\r\n", b"PUT /4"),
    ("\r\nDELETE /5 HTTP/1.1\r\nHost: a\r\n\r\n", b"DELETE /5"),
    ("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", b"OPTIONS *"),
]


def read_pipeline(c):
    for i, (_, body) in enumerate(PIPELINE):
        response = c.response(head_request=body == b"")
        assert response.status == 200 and response.body == body, i


def test_pipelined_requests_of_all_kinds(d):
    with d.raw() as c:
        c.send("".join(text for text, _ in PIPELINE) * 20)
        for _ in range(20):
            read_pipeline(c)
        assert_kept(c)


def test_pipelined_requests_split_anywhere(d):
    data = encode("".join(text for text, _ in PIPELINE))
    for at in range(1, len(data)):
        with d.raw() as c:
            c.send(data[:at])
            c.send(data[at:])
            read_pipeline(c)


# ---- clients that close their half ----


@pytest.mark.parametrize("request_text", [
    GET + "\r\n", POST + "Content-Length: 3\r\n\r\nabc",
    POST + CHUNKED + "\r\n3\r\nabc\r\n0\r\n\r\n",
    "GET / HTTP/1.0\r\n\r\n"])
def test_a_client_that_ends_its_half_is_answered(d, request_text):
    """Also when the response comes later than the client's FIN."""
    def answer(connection, seen):
        seen.read_body()
        closed.wait()
        connection.reply("late")

    closed = Event()
    d.recorder.answer = answer
    with d.raw() as c:
        c.send(request_text)
        c.end_sending()
        closed.set()
        assert c.response().body == b"late"
        assert c.is_closed()


def test_pipelined_requests_before_the_end_are_all_answered(d):
    with d.raw() as c:
        c.send("".join(text for text, _ in PIPELINE))
        c.end_sending()
        read_pipeline(c)
        assert c.is_closed()


@pytest.mark.parametrize("text", [
    "POST /never HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc",
    "POST /never HTTP/1.1\r\nHost: a\r\n" + CHUNKED + "\r\n",
    "POST /never HTTP/1.1\r\nHost: a\r\n" + CHUNKED + "\r\n5\r\nabc",
    "POST /never HTTP/1.1\r\nHost: a\r\n" + CHUNKED + "\r\n3\r\nabc\r\n",
    "POST /never HTTP/1.1\r\nHost: a\r\n" + CHUNKED + "\r\n3\r\nabc\r\n0\r\n",
    "POST /never HTTP/1.1\r\nHost: a\r\n" + CHUNKED +
    "\r\n3\r\nabc\r\n0\r\nX: y\r\n"])
def test_a_body_that_ends_in_the_middle(d, text):
    """Refused or dropped; in either case no request for the backend."""
    with d.raw() as c:
        c.send(text)
        c.end_sending()
        answer = c.rest()
        assert answer == b"" or answer.startswith(b"HTTP/1.1 400 ")
    d.wait_in_flight(0)
    # The Recorder fails the file if a whole /never ever arrives.
    wait_for(lambda: all(s.connection.sock.fileno() == -1
                         for s in d.recorder.seen), "it is told of the end")


# ---- early responses ----


@pytest.mark.parametrize("body", [
    "Content-Length: 1000000\r\n\r\nfirst", CHUNKED + "\r\n5\r\nfirst\r\n"])
@pytest.mark.parametrize("closes", [True, False])
def test_an_answer_before_the_body_has_come(d, body, closes):
    def answer(connection, _):
        connection.reply("enough", status="403 Forbidden")
        if closes:
            return False
        connection.file.read()
        return False

    d.recorder.answer = answer
    with d.raw() as c:
        c.send(POST + body)
        response = c.response()
        assert response.status == 403 and response.body == b"enough"
        assert response.headers["connection"] == "close"
        assert c.is_closed()
