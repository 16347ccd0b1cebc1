"""Goal: a request that two servers could read in two ways is refused, the
connection is closed, and no byte reaches a backend."""

import pytest

from wire import CHUNKED, GET, POST, assert_refused, encode, gateway

# Where either status is right, both are listed.
UNKNOWN_OR_WRONG = (400, 501)

LINES = {
    "not HTTP": ("hello there\r\n\r\n", 400),
    "TLS": ("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
    "HTTP/0.9": ("GET /\r\n", 400),
    "HTTP/0.9 and an empty line": ("GET /\r\n\r\n", 400),
    "HTTP/0.9 by name": ("GET / HTTP/0.9\r\nHost: a\r\n\r\n", 400),
    "HTTP/2 preface": ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    "1.2": ("GET / HTTP/1.2\r\nHost: a\r\n\r\n", 505),
    "2.0": ("GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
    "3.0": ("GET / HTTP/3.0\r\nHost: a\r\n\r\n", 505),
    "9.9": ("GET / HTTP/9.9\r\nHost: a\r\n\r\n", 505),
    "1.10": ("GET / HTTP/1.10\r\nHost: a\r\n\r\n", 400),
    "01.1": ("GET / HTTP/01.1\r\nHost: a\r\n\r\n", 400),
    "one digit": ("GET / HTTP/1\r\nHost: a\r\n\r\n", 400),
    "no minor": ("GET / HTTP/1.\r\nHost: a\r\n\r\n", 400),
    "letters": ("GET / HTTP/1.x\r\nHost: a\r\n\r\n", 400),
    "small http": ("GET / http/1.1\r\nHost: a\r\n\r\n", 400),
    "another protocol": ("GET / ICE/1.1\r\nHost: a\r\n\r\n", 400),
    "RTSP": ("OPTIONS / RTSP/1.0\r\nHost: a\r\n\r\n", 400),
    "a space in the version": ("GET / HTTP /1.1\r\nHost: a\r\n\r\n", 400),
    "text behind the version": ("GET / HTTP/1.1 x\r\nHost: a\r\n\r\n", 400),
    "a space behind the version": ("GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 400),
    "two spaces": ("GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "two spaces before the version": ("GET /  HTTP/1.1\r\nHost: a\r\n\r\n",
                                      400),
    "a tab": ("GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "a form feed": ("GET /\x0cHTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "a space first": (" GET / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "bare CR ends the line": ("GET / HTTP/1.1\rHost: a\r\n\r\n", 400),
    "bare LF ends the line": ("GET / HTTP/1.1\nHost: a\r\n\r\n", 400),
    "bare LF first": ("\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "bare CR first": ("\rGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "CONNECT": ("CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n", 501),
    "CONNECT of a path": ("CONNECT / HTTP/1.1\r\nHost: a\r\n\r\n",
                          UNKNOWN_OR_WRONG),
    "unknown method": ("BREW / HTTP/1.1\r\nHost: a\r\n\r\n", 501),
    "one that is longer": ("GETX / HTTP/1.1\r\nHost: a\r\n\r\n", 501),
    "odd but a token": ("M-^_`|~!# / HTTP/1.1\r\nHost: a\r\n\r\n", 501),
    "small letters": ("get / HTTP/1.1\r\nHost: a\r\n\r\n", 501),
    "RTSP's method": ("DESCRIBE / HTTP/1.1\r\nHost: a\r\n\r\n", 501),
    "a method that is no token": ("G(ET / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "a method with a NUL": ("GET\0 / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "a method with a colon": ("GET: / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "no method": ("/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "a field without a request": ("Host: a\r\n\r\n", 400),
}

TARGETS = ["a", "a/b", "a:80", "*", "**", "/a#b", "?q", "/\x00", "/\x01",
           "/a\tb", "/\x7f", "/a\rb", "/\xe9", "/a\x80", "http://", "http:/a",
           "http:///a", "http://:80/", "http://a:x/", "http://a:99999/",
           "http://u@a/", "http://u:p@a/", "http://[::1/", "http://a/#b",
           "http:a", "ftp://a/", "file:///a", "javascript:x"]

HOSTS = {
    "none": "",
    "two": "Host: a\r\nHost: b\r\n",
    "two that are the same": "Host: a\r\nHost: a\r\n",
    "two, one far away": "Host: a\r\nX: y\r\nhOST: b\r\n",
    **{repr(host): f"Host: {host}\r\n" for host in (
        "", "a b", "a\tb", "a/b", "a?b", "a#b", "u@a", "http://a", "a:b",
        "a:80:80", "a:-1", "a:99999", ":80", "[::1", "::1", "[zz]", "[::1]x",
        "[]", "[127.0.0.1]", "a\\b", "a<b", "a\"b", "a\x80b", "a^b", "a|b",
        # Two Hosts that a hop on the way has joined.
        "a,b", "a,", "a, b")},
}

# Lines after a valid request line and Host.
FIELDS = {
    "no colon": "X\r\n",
    "no name": ": a\r\n",
    "only a colon": ":\r\n",
    "a space before the colon": "X : a\r\n",
    "a tab before the colon": "X\t: a\r\n",
    "a space in the name": "X Y: a\r\n",
    "folded": "X: a\r\n b\r\n",
    "folded with a tab": "X: a\r\n\tb\r\n",
    "folded, nothing in it": "X: a\r\n \r\n",
    "folded after no value": "X:\r\n a\r\n",
    "a length that is folded": "Content-Length:\r\n 0\r\n",
    "a coding that is folded": "Transfer-Encoding:\r\n chunked\r\n",
    "bare CR in a value": "X: a\rb\r\n",
    "bare CR hides a field": "X: a\rTransfer-Encoding: chunked\r\n",
    "bare CR ends a value": "X: a\r\r\n",
    "bare LF ends a line": "X: a\nY: b\r\n",
    "bare LF hides a field": "X: a\nContent-Length: 3\r\n",
    **{f"{c:#04x} in a value": f"X: a{chr(c)}b\r\n"
       for c in [*range(0x00, 0x09), 0x0b, 0x0c, *range(0x0e, 0x20), 0x7f]},
    **{f"{c!r} in a name": f"X{c}Y: a\r\n"
       for c in "\x00\x01\x0b\x1f\x7f\x80\xff\"(),/;<=>?@[\\]{}"},
}

LENGTHS = {
    **{repr(length): f"Content-Length: {length}\r\n" for length in (
        "", "-1", "+1", "0x1", "1.0", "1e1", "1 1", "1,1", "1, 1", "1, 2",
        "1;", "a", "\"1\"", "1a", "\xb9", "9223372036854775808",
        "18446744073709551617", "9" * 40)},
    "two that differ": "Content-Length: 1\r\nContent-Length: 2\r\n",
    "two, one empty": "Content-Length: 1\r\nContent-Length:\r\n",
    "two that are the same": "Content-Length: 1\r\nContent-Length: 1\r\n",
}

CODINGS = {
    "gzip": 400, "deflate": 400, "compress": 400, "x-gzip": UNKNOWN_OR_WRONG,
    "gzip, chunked": 400, "chunked, gzip": 400, "chunked, chunked": 400,
    "identity": UNKNOWN_OR_WRONG, "chunked, identity": UNKNOWN_OR_WRONG,
    "xchunked": 501, "chunkedx": 501, "chunke": 501, "foo": 501,
    "foo, chunked": 501, "chunked, foo": UNKNOWN_OR_WRONG,
    "": UNKNOWN_OR_WRONG, ",": UNKNOWN_OR_WRONG,
    ", chunked": UNKNOWN_OR_WRONG, "chunked,": UNKNOWN_OR_WRONG,
    "chunked;a=b": UNKNOWN_OR_WRONG, "\"chunked\"": UNKNOWN_OR_WRONG,
    "'chunked'": UNKNOWN_OR_WRONG, "chunked chunked": UNKNOWN_OR_WRONG,
    "\x0bchunked": UNKNOWN_OR_WRONG, "chunked\x00": UNKNOWN_OR_WRONG,
    "\xa0chunked": UNKNOWN_OR_WRONG,
}

FRAMINGS = {
    "length and chunked": "Content-Length: 5\r\n" + CHUNKED,
    "chunked and length": CHUNKED + "Content-Length: 5\r\n",
    "length of none and chunked": "Content-Length: 0\r\n" + CHUNKED,
    "chunked twice": CHUNKED + CHUNKED,
    "chunked, then another": CHUNKED + "Transfer-Encoding: identity\r\n",
    "another, then chunked": "Transfer-Encoding: identity\r\n" + CHUNKED,
    "chunked, then nothing": CHUNKED + "Transfer-Encoding:\r\n",
    "a space before the colon": "Transfer-Encoding : chunked\r\n",
    "length, a space before the colon": "Content-Length : 5\r\n",
}

CHUNKS = {
    "not hex": "x\r\n",
    "no size": "\r\nhello\r\n0\r\n\r\n",
    "0x": "0x5\r\nhello\r\n0\r\n\r\n",
    "negative": "-5\r\nhello\r\n0\r\n\r\n",
    "signed": "+5\r\nhello\r\n0\r\n\r\n",
    "a blank first": " 5\r\nhello\r\n0\r\n\r\n",
    "a blank behind": "5 \r\nhello\r\n0\r\n\r\n",
    "a tab behind": "5\t\r\nhello\r\n0\r\n\r\n",
    "two sizes": "5 5\r\nhello\r\n0\r\n\r\n",
    "underscore": "1_0\r\n0123456789abcdef\r\n0\r\n\r\n",
    "2^64 and 5": "10000000000000005\r\nhello\r\n0\r\n\r\n",
    "2^63": "8000000000000000\r\nhello\r\n0\r\n\r\n",
    "2^64 - 1": "ffffffffffffffff\r\nhello\r\n0\r\n\r\n",
    "many digits": "f" * 40 + "\r\nhello\r\n0\r\n\r\n",
    "bare LF behind a size": "5\nhello\r\n0\r\n\r\n",
    "bare CR behind a size": "5\rhello\r\n0\r\n\r\n",
    "CR CR LF": "5\r\r\nhello\r\n0\r\n\r\n",
    "bare LF behind data": "5\r\nhello\n0\r\n\r\n",
    "bare CR behind data": "5\r\nhello\r0\r\n\r\n",
    "nothing behind data": "5\r\nhello0\r\n\r\n",
    "data too long": "5\r\nhello!\r\n0\r\n\r\n",
    "data too short": "6\r\nhello\r\n0\r\n\r\n",
    "bare LF behind the last": "0\n\r\n",
    "bare LF at the end": "0\r\n\n",
    "bare CR at the end": "0\r\n\rX",
    "NUL in a size": "5\0\r\nhello\r\n0\r\n\r\n",
    "an extension without a name": "5;\r\nhello\r\n0\r\n\r\n",
    "an extension that is only a value": "5;=a\r\nhello\r\n0\r\n\r\n",
    "an extension's value is missing": "5;a=\r\nhello\r\n0\r\n\r\n",
    "an extension without a semicolon": "5 a=b\r\nhello\r\n0\r\n\r\n",
    "an extension with a blank": "5;a b\r\nhello\r\n0\r\n\r\n",
    "an open quote": '5;a="b\r\nhello\r\n0\r\n\r\n',
    "text behind a quote": '5;a="b"c\r\nhello\r\n0\r\n\r\n',
    "a control in an extension": "5;a=\x01\r\nhello\r\n0\r\n\r\n",
    "a control in quotes": '5;a="\x01"\r\nhello\r\n0\r\n\r\n',
    "bare LF in an extension": "5;a\nhello\r\n0\r\n\r\n",
    "bare CR in an extension": "5;a\rb\r\nhello\r\n0\r\n\r\n",
    "bare LF in quotes": '5;a="\n"\r\nhello\r\n0\r\n\r\n',
    "a bad extension of the last": "0;\r\n\r\n",
    "a trailer without a colon": "0\r\nX\r\n\r\n",
    "a trailer without a name": "0\r\n: a\r\n\r\n",
    "a trailer, a space before the colon": "0\r\nX : a\r\n\r\n",
    "a trailer that is folded": "0\r\nX: a\r\n b\r\n\r\n",
    "a trailer with a control": "0\r\nX: a\x01\r\n\r\n",
    "a trailer with NUL": "0\r\nX: \0\r\n\r\n",
    "a trailer and bare LF": "0\r\nX: a\n\r\n",
    "a trailer and bare CR": "0\r\nX: a\rb\r\n\r\n",
    "a request for a trailer": "0\r\nGET / HTTP/1.1\r\n\r\n",
}


@pytest.fixture(name="shared", scope="module")
def fixture_shared():
    with gateway() as d:
        yield d


@pytest.fixture(name="d")
def fixture_d(shared):
    shared.recorder.reset()
    return shared


@pytest.mark.parametrize("name", LINES)
def test_request_lines(d, name):
    assert_refused(d, *LINES[name])


@pytest.mark.parametrize("target", TARGETS)
def test_targets(d, target):
    assert_refused(d, f"GET {target} HTTP/1.1\r\nHost: a\r\n\r\n", 400)


@pytest.mark.parametrize("name", HOSTS)
def test_hosts(d, name):
    assert_refused(d, f"GET / HTTP/1.1\r\n{HOSTS[name]}\r\n", 400)


def test_two_hosts_of_http10(d):
    assert_refused(d, "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", 400)


HEAD_REFUSALS = {
    "bad target": ("HEAD /a#b HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "bad version": ("HEAD / HTTP/9.9\r\nHost: a\r\n\r\n", 505),
    "no Host": ("HEAD / HTTP/1.1\r\n\r\n", 400),
    "bad field": ("HEAD / HTTP/1.1\r\nHost: a\r\nX Y: b\r\n\r\n", 400),
    "unknown coding": ("HEAD / HTTP/1.1\r\nHost: a\r\n"
                       "Transfer-Encoding: foo\r\n\r\n", 501),
    "unknown expectation": ("HEAD / HTTP/1.1\r\nHost: a\r\n"
                            "Expect: wine\r\n\r\n", 417),
    "long target": ("HEAD /" + "x" * 9000 + " HTTP/1.1\r\n", 414),
    "large head": ("HEAD / HTTP/1.1\r\nX: " + "x" * 17000, 431),
    "large body": ("HEAD / HTTP/1.1\r\nHost: a\r\n"
                   "Content-Length: 99999999999\r\n\r\n", 413),
}


@pytest.mark.parametrize("name", HEAD_REFUSALS)
def test_no_body_for_a_refused_head(d, name):
    """RFC 9110 section 9.3.2: nor for a method that was read only in part of
    a head."""
    data, status = HEAD_REFUSALS[name]
    with d.raw() as c:
        c.send(data)
        response = c.response(head_request=True)
        assert response.status == status, response
        assert int(response.headers["content-length"]) > 0
        assert c.rest() == b""


def test_no_body_for_half_a_head_request(d):
    with d.raw() as c:
        c.send("HEAD / HT")
        c.end_sending()
        assert c.response(head_request=True).status == 400
        assert c.rest() == b""


@pytest.mark.parametrize("data", ["HEA", "HEAD", "HEADS / HTTP/1.1",
                                  "AHEAD / "])
def test_other_methods_get_a_body(d, data):
    with d.raw() as c:
        c.send(data + "\n")
        response = c.response()
        assert response.status == 400
        assert response.json()["status"] == 400


def test_an_absolute_target_does_not_stand_for_host(d):
    assert_refused(d, "GET http://a/ HTTP/1.1\r\n\r\n", 400)
    assert_refused(d, "GET http://a/ HTTP/1.1\r\nHost: a b\r\n\r\n", 400)


@pytest.mark.parametrize("name", FIELDS)
def test_fields(d, name):
    assert_refused(d, GET + FIELDS[name] + "\r\n", 400)


def test_a_blank_before_the_first_field(d):
    assert_refused(d, "GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400)
    assert_refused(d, "GET / HTTP/1.1\r\n X: y\r\nHost: a\r\n\r\n", 400)


def test_bare_line_feeds_all_over(d):
    assert_refused(d, "GET / HTTP/1.1\nHost: a\n\n", 400)
    assert_refused(d, "GET / HTTP/1.1\r\nHost: a\r\n\nX", 400)


@pytest.mark.parametrize("name", LENGTHS)
def test_lengths(d, name):
    assert_refused(d, POST + LENGTHS[name] + "\r\nx", 400)


@pytest.mark.parametrize("coding", CODINGS)
def test_codings(d, coding):
    assert_refused(d, f"{POST}Transfer-Encoding: {coding}\r\n\r\n0\r\n\r\n",
                   CODINGS[coding])


@pytest.mark.parametrize("name", FRAMINGS)
def test_framings(d, name):
    assert_refused(d, POST + FRAMINGS[name] + "\r\n0\r\n\r\n"
                   "GET /never HTTP/1.1\r\nHost: a\r\n\r\n", UNKNOWN_OR_WRONG)


def test_no_coding_in_http10(d):
    assert_refused(d, "POST / HTTP/1.0\r\n" + CHUNKED + "\r\n0\r\n\r\n", 400)
    assert_refused(d, "POST / HTTP/1.0\r\nContent-Length: 5\r\n" + CHUNKED +
                   "\r\n0\r\n\r\n", 400)


@pytest.mark.parametrize("pieces", ["together", "apart"])
@pytest.mark.parametrize("name", CHUNKS)
def test_chunks(d, name, pieces):
    """The head may have gone on before the fault is seen, but never becomes a
    whole request (the Recorder looks for /never)."""
    head = encode("POST /never HTTP/1.1\r\nHost: a\r\n" + CHUNKED + "\r\n")
    body = encode(CHUNKS[name])
    with d.raw() as c:
        if pieces == "together":
            c.send(head + body)
        else:
            c.send(head + b"3\r\nabc\r\n")
            d.wait_in_flight(1)
            c.send(body)
        response = c.response()
        assert response.status == 400, response
        assert response.headers["connection"] == "close"
        assert c.rest() == b""
    d.wait_in_flight(0)
    assert not any(s.whole for s in d.recorder.seen)


# ---- limits ----


@pytest.fixture(name="limited", scope="module")
def fixture_limited():
    with gateway(client={"header": "12k", "target": "1000",
                         "body": "1000"}) as d:
        yield d


def test_the_longest_target(limited):
    for size, status in ((1000, 200), (1001, 414), (5000, 414),
                         (100000, 414)):
        with limited.raw() as c:
            try:
                c.send("GET /" + "x" * (size - 1) +
                       " HTTP/1.1\r\nHost: a\r\n\r\n")
            except ConnectionError:
                assert size > 12288
            assert c.response().status == status, size


@pytest.mark.parametrize("lines", ["X: " + "x" * 13000 + "\r\n",
                                   "x" * 13000 + ": x\r\n",
                                   "X: yyyyyyyy\r\n" * 1000])
def test_the_largest_head(limited, lines):
    assert_refused(limited, GET + lines + "\r\n", 431)


def test_the_default_limit_of_targets():
    with gateway() as d:
        for size, status in ((8192, 200), (8193, 414)):
            with d.raw() as c:
                c.send("GET /" + "x" * (size - 1) +
                       " HTTP/1.1\r\nHost: a\r\n\r\n")
                assert c.response().status == status, size


@pytest.mark.parametrize("data", [
    "Content-Length: 1001\r\n\r\n",
    "Content-Length: 9223372036854775807\r\n\r\n"])
def test_the_longest_body(limited, data):
    assert_refused(limited, POST + data, 413)


@pytest.mark.parametrize("chunks", [
    "3e9\r\n", "3e8\r\n" + "x" * 1000 + "\r\n1\r\n", "7fffffffffffffff\r\n",
    "1\r\nx\r\n" * 1001 + "0\r\n\r\n"])
def test_the_longest_body_in_chunks(limited, chunks):
    assert_refused(limited, "POST /never HTTP/1.1\r\nHost: a\r\n" + CHUNKED +
                   "\r\n" + chunks, 413, forwarded=True)


@pytest.mark.parametrize("body", [
    "5;a=" + "x" * 100000, "0\r\nX: " + "x" * 100000,
    "0\r\n" + "X: yyyyyy\r\n" * 10000, "0" * 100000])
def test_extensions_and_trailers_have_a_limit_too(limited, body):
    with limited.raw() as c:
        try:
            c.send("POST /never HTTP/1.1\r\nHost: a\r\n" + CHUNKED + "\r\n" +
                   body)
        except ConnectionError:
            pass  # refused before the last byte
        assert c.response().status in (400, 413, 431)


# ---- bytes behind a refused request ----


def test_nothing_behind_a_refused_request_is_heard(d):
    with d.raw() as c:
        c.send(GET + "\r\n" + GET + "X : y\r\n\r\n" +
               "GET /never HTTP/1.1\r\nHost: a\r\n\r\n")
        assert c.response().status == 200
        assert c.response().status == 400
        assert c.rest() == b""
