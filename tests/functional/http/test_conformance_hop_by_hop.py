"""Goal: hop-by-hop fields stay on their hop, both ways; end-to-end fields reach
the far end; and Drover signs with Via."""

import json

import pytest

from harness import respond, route
from wire import (CHUNKED, GET, POST, assert_kept, assert_refused, encode,
                  gateway)

# Head lines -> fields that must not reach the backend, and fields that must.
REQUEST_FIELDS = {
    "Connection": ("Connection: keep-alive\r\n", ["connection"], []),
    "named": ("Connection: X-Mine, x-OTHER\r\nX-Mine: 1\r\nX-Other: 2\r\n"
              "X-Kept: 3\r\n", ["x-mine", "x-other", "connection"],
              [("x-kept", "3")]),
    "named before and after": ("X-Mine: 1\r\nConnection: X-Mine\r\n"
                               "X-Mine: 2\r\n", ["x-mine"], []),
    "two Connections": ("Connection: X-A\r\nConnection: , X-B,\r\nX-A: 1\r\n"
                        "X-B: 2\r\nX-AB: 3\r\n", ["x-a", "x-b"],
                        [("x-ab", "3")]),
    "named with close": ("Connection: close, X-Mine\r\nX-Mine: 1\r\n",
                         ["x-mine", "connection"], []),
    "credentials that are named": ("Connection: Authorization\r\n"
                                   "Authorization: Basic x\r\n",
                                   ["authorization"], []),
    "Keep-Alive": ("Keep-Alive: timeout=5\r\n", ["keep-alive"], []),
    "Proxy-Connection": ("Proxy-Connection: keep-alive\r\n",
                         ["proxy-connection"], []),
    "Upgrade, not named": ("Upgrade: websocket\r\n", ["upgrade"], []),
    "HTTP2-Settings": ("HTTP2-Settings: AAMAAABkAAQAAP__\r\n",
                       ["http2-settings"], []),
    "TE of another coding": ("TE: gzip\r\nConnection: TE\r\n", ["te"], []),
    # CGI, WSGI and PHP give both names the same variable.
    "names that shadow others": (
        "X_Real_IP: 6.6.6.6\r\nX-Forwarded_For: 6.6.6.6\r\n"
        "x_forwarded_proto: https\r\nX_REQUEST_ID: mine\r\n"
        "Content_Length: 3\r\nTransfer_Encoding: chunked\r\n"
        "Proxy_Authorization: x\r\nMy_Own: 1\r\n",
        ["x_real_ip", "x-forwarded_for", "x_forwarded_proto", "x_request_id",
         "content_length", "transfer_encoding", "proxy_authorization"],
        [("my_own", "1"), ("x-real-ip", "127.0.0.1")]),
    # Connection can't name away the fields that Drover needs or writes.
    "Host that is named": ("Connection: Host\r\n", [], [("host", "a")]),
    "forwarding fields that are named": (
        "Connection: X-Forwarded-For, X-Real-IP, X-Forwarded-Proto\r\n", [],
        [("x-real-ip", "127.0.0.1"), ("x-forwarded-proto", "http")]),
}


@pytest.fixture(name="shared", scope="module")
def fixture_shared():
    with gateway(routes=[route("/", "b"), respond("/own", 1)]) as d:
        yield d


@pytest.fixture(name="d")
def fixture_d(shared):
    shared.recorder.reset()
    return shared


def exchange(d, data):
    with d.raw() as c:
        c.send(data)
        response = c.response()
        assert response.status == 200, response
    response.seen = d.recorder.wait_seen()[0]
    return response


@pytest.mark.parametrize("name", REQUEST_FIELDS)
def test_requests(d, name):
    lines, gone, kept = REQUEST_FIELDS[name]
    seen = exchange(d, GET + lines + "\r\n").seen
    for field in gone:
        assert not seen.values(field), seen.pairs
    for pair in kept:
        assert pair in seen.pairs
    assert seen.value("x-forwarded-for").endswith("127.0.0.1")


@pytest.mark.parametrize("framing", [
    "Connection: Content-Length\r\nContent-Length: 3\r\n\r\nabc",
    "Connection: Transfer-Encoding\r\n" + CHUNKED +
    "\r\n3\r\nabc\r\n0\r\n\r\n"])
def test_framing_that_is_named(d, framing):
    """Drover's framing does not depend on Connection: the request is forwarded
    with framing, or refused, never forwarded bare."""
    with d.raw() as c:
        c.send(POST + framing)
        response = c.response()
        assert response.status in (200, 400)
        if response.status == 200:
            assert d.recorder.wait_seen()[0].body == b"abc"
            assert_kept(c)


def test_te_trailers_goes_on(d):
    for lines in ("TE: trailers\r\nConnection: TE\r\n",
                  "TE: trailers, deflate;q=0.5\r\nConnection: TE\r\n",
                  "Connection: te\r\nTE: Trailers\r\n"):
        d.recorder.reset()
        seen = exchange(d, GET + lines + "\r\n").seen
        assert [v.lower() for v in seen.values("te")] == ["trailers"]
        # RFC 9110 section 10.1.4: a sender of TE names TE in Connection.
        assert "te" in seen.value("connection").lower()


RESPONSE_FIELDS = {
    "named": ("Connection: X-Mine, x-OTHER\r\nX-Mine: 1\r\nX-Other: 2\r\n"
              "X-Kept: 3\r\n", ["x-mine", "x-other"], [("x-kept", "3")]),
    "named before": ("X-Mine: 1\r\nConnection: X-Mine\r\n", ["x-mine"], []),
    "two Connections": ("Connection: X-A\r\nConnection: X-B\r\nX-A: 1\r\n"
                        "X-B: 2\r\n", ["x-a", "x-b"], []),
    "a cookie that is named": ("Connection: Set-Cookie\r\n"
                               "Set-Cookie: a=b\r\n", ["set-cookie"], []),
    "Keep-Alive": ("Connection: keep-alive\r\nKeep-Alive: timeout=5\r\n",
                   ["keep-alive", "connection"], []),
    "Proxy-Connection": ("Proxy-Connection: close\r\n",
                         ["proxy-connection"], []),
    "Upgrade": ("Upgrade: h2,h2c\r\nConnection: Upgrade\r\n",
                ["upgrade", "connection"], []),
    "close": ("Connection: close\r\n", ["connection"], []),
    "framing that is named": ("Connection: Content-Length\r\n", [],
                              [("content-length", "2")]),
    "end to end": ("Server: x\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
                   "WWW-Authenticate: Basic\r\nAge: 1\r\nVary: *\r\n", [],
                   [("server", "x"), ("age", "1"), ("vary", "*"),
                    ("www-authenticate", "Basic"),
                    ("date", "Thu, 01 Jan 1970 00:00:00 GMT")]),
}


@pytest.mark.parametrize("name", RESPONSE_FIELDS)
def test_responses(d, name):
    lines, gone, kept = RESPONSE_FIELDS[name]
    d.recorder.replies(f"HTTP/1.1 200 OK\r\n{lines}Content-Length: 2\r\n"
                       "\r\nok")
    response = exchange(d, GET + "\r\n")
    assert response.body == b"ok"
    names = [n for n, _ in response.pairs]
    for field in gone:
        assert field not in names, response.pairs
    for pair in kept:
        assert pair in response.pairs
    assert names.count("date") == 1


# ---- Via ----


@pytest.mark.parametrize("lines, before", [
    ("", []), ("Via: 1.0 fred\r\n", ["1.0 fred"]),
    ("Via: 1.0 fred, 1.1 p.example:8080 (x, y)\r\nX: y\r\nvia: 2 jane\r\n",
     ["1.0 fred", "1.1 p.example:8080 (x", "y)", "2 jane"])])
def test_via(d, lines, before):
    """Behind the entries of earlier hops, both ways (RFC 9110 section
    7.6.3)."""
    d.recorder.replies(f"HTTP/1.1 200 OK\r\n{lines}Content-Length: 2\r\n"
                       "\r\nok")
    response = exchange(d, GET + lines + "\r\n")
    want = before + ["1.1 drover"]
    assert response.seen.value("via").split(", ") == want
    got = ", ".join(v for n, v in response.pairs if n == "via")
    assert got.split(", ") == want


def test_via_says_how_a_message_came(d):
    """The version is the received version."""
    d.recorder.replies("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok")
    response = exchange(d, "GET / HTTP/1.0\r\n\r\n")
    # 1.0 by the letter of section 7.6.3; who signs all alike does no harm.
    for via in (response.seen.value("via"), response.headers["via"]):
        assert via in ("1.0 drover", "1.1 drover")


def test_via_that_is_named(d):
    seen = exchange(d, GET + "Connection: Via\r\nVia: 1.1 x\r\n\r\n").seen
    assert seen.value("via").split(", ")[-1] == "1.1 drover"


# ---- Max-Forwards ----


@pytest.mark.parametrize("method", ["OPTIONS", "TRACE"])
@pytest.mark.parametrize("sent, want", [("1", "0"), ("10", "9"),
                                        ("007", "6"), (" 5 ", "4")])
def test_max_forwards_counts_down(d, method, sent, want):
    seen = exchange(d, f"{method} /p HTTP/1.1\r\nHost: a\r\n"
                    f"Max-Forwards:{sent}\r\n\r\n").seen
    assert seen.method == method and seen.values("max-forwards") == [want]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_max_forwards_of_other_methods(d, method):
    """RFC 9110 section 7.6.2: is not looked at."""
    seen = exchange(d, f"{method} /p HTTP/1.1\r\nHost: a\r\n"
                    "Content-Length: 0\r\nMax-Forwards: 0\r\n\r\n").seen
    assert seen.values("max-forwards") == ["0"]


@pytest.mark.parametrize("target", ["/p", "*", "http://a/p"])
def test_options_for_us(d, target):
    with d.raw() as c:
        c.send(f"OPTIONS {target} HTTP/1.1\r\nHost: a\r\nMax-Forwards: 0\r\n"
               "\r\n")
        response = c.response()
        assert response.status == 200 and response.headers["allow"]
        assert not d.recorder.seen
        assert_kept(c)


def test_trace_for_us(d):
    lines = ("X-Mine: \x80\xff", "Via: 1.1 fred", "Max-Forwards: 0")
    with d.raw() as c:
        c.send(encode("TRACE /p?q HTTP/1.1\r\nHost: a\r\n"
                      "Authorization: Basic s3cret\r\nCookie: id=s3cret\r\n"
                      "Proxy-Authorization: Basic s3cret\r\n" +
                      "\r\n".join(lines) + "\r\n\r\n"))
        response = c.response()
        assert response.status == 200
        assert response.headers["content-type"] == "message/http"
        echoed = response.body.decode("latin-1")
        assert echoed.startswith("TRACE /p?q HTTP/1.1\r\n")
        for line in lines:
            assert f"\r\n{line}\r\n".lower() in echoed.lower()
        assert "s3cret" not in echoed
        assert not d.recorder.seen
        assert_kept(c)


def test_trace_goes_on(d):
    seen = exchange(d, "TRACE /p HTTP/1.1\r\nHost: a\r\n\r\n").seen
    assert seen.line == "TRACE /p HTTP/1.1"


@pytest.mark.parametrize("body", ["Content-Length: 3\r\n\r\nabc",
                                  CHUNKED + "\r\n3\r\nabc\r\n0\r\n\r\n"])
def test_trace_has_no_body(d, body):
    """RFC 9110 section 9.3.8."""
    assert_refused(d, "TRACE /p HTTP/1.1\r\nHost: a\r\n" + body, 400)


# ---- trailers ----


FORBIDDEN = ["Host: b", "Content-Length: 9", "Transfer-Encoding: chunked",
             "Authorization: x", "Set-Cookie: a=b", "Cookie: a=b",
             "Connection: close", "Trailer: X", "TE: trailers",
             "Upgrade: x", "Content-Type: x/y", "Content-Encoding: gzip",
             "Content-Range: bytes 0-1/2", "Cache-Control: no-store",
             "Max-Forwards: 0", "Keep-Alive: x", "Proxy-Connection: x",
             "Expect: 100-continue", "Range: bytes=0-1"]


def chunked_with(trailers):
    return (CHUNKED + "\r\n3\r\nabc\r\n0\r\n" +
            "".join(f"{line}\r\n" for line in trailers) + "\r\n")


def test_request_trailers(d):
    with d.raw() as c:
        for _ in range(2):
            c.send(encode(POST + "Trailer: X-Sum, x-odd\r\n" + chunked_with(
                ["X-Sum: 1", "x-odd:\t\xe9 ", "X-Sum: 2", "X-Empty:"])))
            assert c.response().status == 200
    for seen in d.recorder.wait_seen(2):
        assert seen.body == b"abc"
        assert seen.trailers == [("x-sum", "1"), ("x-odd", "\xe9"),
                                 ("x-sum", "2"), ("x-empty", "")]


def test_trailers_beside_a_connection_field(d):
    """A field named by Connection is dropped, and no other field, both ways."""
    names = [f"x-{i}" for i in range(200)]
    lines = [f"{n}: 1" for n in names]
    d.recorder.replies("HTTP/1.1 200 OK\r\nConnection: keep-alive, X-7\r\n" +
                       chunked_with(lines))
    with d.raw() as c:
        c.send(POST + "Connection: keep-alive, TE, X-7\r\nTE: trailers\r\n" +
               chunked_with(lines))
        response = c.response()
    want = [(n, "1") for n in names if n != "x-7"]
    assert response.trailers == want
    assert d.recorder.wait_seen()[0].trailers == want


def test_request_trailers_that_would_change_the_head(d):
    seen = exchange(d, POST + chunked_with(["X-A: 1", *FORBIDDEN,
                                            "X-B: 2"])).seen
    assert seen.trailers == [("x-a", "1"), ("x-b", "2")]
    # Nor were the fields moved to the trailers.
    assert seen.values("host") == ["a"] and not seen.values("authorization")


def test_response_trailers(d):
    d.recorder.replies("HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\n" +
                       chunked_with(["X-Sum: 1", *FORBIDDEN, "X-B: 2"]))
    with d.raw() as c:
        for _ in range(2):
            c.send(GET + "TE: trailers\r\nConnection: TE\r\n\r\n")
            response = c.response()
            assert response.body == b"abc"
            assert response.trailers == [("x-sum", "1"), ("x-b", "2")]
            assert "set-cookie" not in response.headers
        # A client that did not ask for trailers gets the body all the same.
        c.send(GET + "\r\n")
        assert c.response().body == b"abc"
        c.send("GET / HTTP/1.0\r\n\r\n")
        assert c.response().body == b"abc"


# ---- responses of Drover itself ----


def test_our_own_answers_are_not_signed_as_passed_on(d):
    """Via is for forwarded messages."""
    response = d.get("/own")
    assert json.loads(response.body) == 1
    assert "via" not in response.headers


# ---- loops ----


OWN = "1.1 drover"


@pytest.mark.parametrize("lines", [
    "Via: " + ", ".join([OWN] * 8) + "\r\n",
    f"Via: {OWN}\r\n" * 8,
    "Via: 1.0 a, " + ", ".join(["1.0\tDrover (x)"] * 9) + "\r\n"])
def test_a_request_that_goes_round(d, lines):
    with d.raw() as c:
        c.send(GET + lines + "\r\n")
        response = c.response()
        assert response.status == 508, response
        assert "leads back" in response.json()["error"]
        # Only a service leads anywhere.
        c.send("GET /own HTTP/1.1\r\nHost: a\r\n" + lines + "\r\n")
        assert c.response().status == 200
    assert not d.recorder.seen


@pytest.mark.parametrize("lines", [
    "Via: " + ", ".join([OWN] * 7) + "\r\n",
    "Via: " + ", ".join(["1.1 other", "1.1 drovers", "drover"] * 9) + "\r\n"])
def test_many_hops_are_no_loop(d, lines):
    assert exchange(d, GET + lines + "\r\n").status == 200
