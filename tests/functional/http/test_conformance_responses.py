"""Goal: responses that RFC 9110 and 9112 allow reach the client with the same
meaning. An ambiguous response becomes a 502 or is visibly cut short, and its
connection is not used again."""

import pytest

from wire import (CHUNKED, GET, Event, assert_kept, encode, gateway,
                  is_whole, say_what_was_asked)

OK = "HTTP/1.1 200 OK\r\n"
OK_2 = OK + "Content-Length: 2\r\n\r\nok"

# A backend's bytes -> status, (name, value) in the head, body.
GOOD = {
    "length": (OK_2, 200, None, "ok"),
    "chunks": (OK + CHUNKED + "\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n", 200, None,
               "ok"),
    "chunks with extensions": (
        OK + CHUNKED + '\r\n1;a=b\r\no\r\n0001 ; c="d;"\r\nk\r\n00;e\r\n\r\n',
        200, None, "ok"),
    "coding in capitals": (OK + "transfer-encoding: CHUNKED\r\n\r\n"
                           "2\r\nok\r\n0\r\n\r\n", 200, None, "ok"),
    "no reason": ("HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nok", 200, None,
                  "ok"),
    "an odd reason": ("HTTP/1.1 200 \xe9t\xe9:\t(200)\r\nContent-Length: 2"
                      "\r\n\r\nok", 200, None, "ok"),
    "an odd status": ("HTTP/1.1 299 X\r\nContent-Length: 2\r\n\r\nok", 299,
                      None, "ok"),
    "another": ("HTTP/1.1 599 X\r\nContent-Length: 2\r\n\r\nok", 599, None,
                "ok"),
    "HTTP/1.0, kept": ("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n"
                       "Content-Length: 2\r\n\r\nok", 200, None, "ok"),
    "an odd name": (OK + "!#$%&'*+-.^_`|~09: 1\r\nContent-Length: 2\r\n\r\n"
                    "ok", 200, ("!#$%&'*+-.^_`|~09", "1"), "ok"),
    "obs-text": (OK + "X: \x80\xff\r\nContent-Length: 2\r\n\r\nok", 200,
                 ("x", "\x80\xff"), "ok"),
    "no value": (OK + "X:\r\nContent-Length: 2\r\n\r\nok", 200, ("x", ""),
                 "ok"),
    "204": ("HTTP/1.1 204 No Content\r\nX: y\r\n\r\n", 204, ("x", "y"), ""),
    "304": ("HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\n\r\n", 304,
            ("etag", "\"x\""), ""),
    # RFC 9110 section 8.6: the length of what a 200 would have had.
    "304 with a length": ("HTTP/1.1 304 Not Modified\r\n"
                          "Content-Length: 5\r\n\r\n", 304,
                          ("content-length", "5"), ""),
    "304 with a coding": ("HTTP/1.1 304 Not Modified\r\n" + CHUNKED + "\r\n",
                          304, None, ""),
}


def repeat(line, times):
    return "".join(f"{line}{i}\r\n" for i in range(times))


# Each of the responses can be read in two ways.
BAD_HEADS = {
    "not HTTP": "hello\r\n\r\n",
    "HTTP/0.9": "<html>hello</html>\r\n\r\n",
    "another protocol": "ICY 200 OK\r\n\r\n",
    "small letters": "http/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "0.9 by name": "HTTP/0.9 200 OK\r\nContent-Length: 0\r\n\r\n",
    "1.2": "HTTP/1.2 200 OK\r\nContent-Length: 0\r\n\r\n",
    "2": "HTTP/2 200 OK\r\nContent-Length: 0\r\n\r\n",
    "2.0": "HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n",
    "1.10": "HTTP/1.10 200 OK\r\nContent-Length: 0\r\n\r\n",
    "a space first": " HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "two spaces": "HTTP/1.1  200 OK\r\nContent-Length: 0\r\n\r\n",
    "a tab": "HTTP/1.1\t200 OK\r\nContent-Length: 0\r\n\r\n",
    "no status": "HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
    **{f"status {status!r}":
       f"HTTP/1.1 {status} OK\r\nContent-Length: 0\r\n\r\n"
       for status in ("", "2", "20", "2000", "abc", "2x0", "0x200", "-200",
                      "+200", "099", "000", "20 0", "200.5", "\xb2\xb2\xb2")},
    "no space behind the status": "HTTP/1.1 200OK\r\nContent-Length: 0\r\n"
    "\r\n",
    "NUL in the reason": "HTTP/1.1 200 O\0K\r\nContent-Length: 0\r\n\r\n",
    "a control in the reason": "HTTP/1.1 200 O\x01K\r\nContent-Length: 0"
    "\r\n\r\n",
    "bare CR in the reason": "HTTP/1.1 200 O\rK\r\nContent-Length: 0\r\n\r\n",
    "bare LF ends the line": "HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n",
    "bare LF ends all": "HTTP/1.1 200 OK\nContent-Length: 0\n\n",
    "bare LF ends a field": OK + "X: y\nContent-Length: 0\r\n\r\n",
    "bare CR in a value": OK + "X: a\rb\r\nContent-Length: 0\r\n\r\n",
    "bare CR hides a field": OK + "X: a\rSet-Cookie: b\r\n"
    "Content-Length: 0\r\n\r\n",
    "NUL in a value": OK + "X: a\0b\r\nContent-Length: 0\r\n\r\n",
    "a control in a value": OK + "X: a\x0bb\r\nContent-Length: 0\r\n\r\n",
    "DEL in a value": OK + "X: a\x7fb\r\nContent-Length: 0\r\n\r\n",
    "folded": OK + "X: a\r\n b\r\nContent-Length: 0\r\n\r\n",
    "no colon": OK + "X\r\nContent-Length: 0\r\n\r\n",
    "no name": OK + ": x\r\nContent-Length: 0\r\n\r\n",
    "a blank in a name": OK + "X Y: x\r\nContent-Length: 0\r\n\r\n",
    "a space before the colon": OK + "Content-Length : 0\r\n\r\n",
    "a head without end": OK + "X: " + "x" * 200000,
    "fields without end": OK + repeat("X: ", 20000),
    **{f"length {length!r}": f"{OK}Content-Length: {length}\r\n\r\nab"
       for length in ("", "-1", "+2", "0x2", "2.0", "1 1", "1, 2", "2, 2",
                      "2x", "x", "9223372036854775808",
                      "18446744073709551618", "9" * 40)},
    "two lengths": OK + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "two lengths, one empty": OK + "Content-Length: 2\r\nContent-Length:\r\n"
    "\r\nab",
    "length and coding": OK + "Content-Length: 1\r\n" + CHUNKED +
    "\r\n0\r\n\r\n",
    "coding and length": OK + CHUNKED + "Content-Length: 1\r\n"
    "\r\n0\r\n\r\n",
    "coding twice": OK + CHUNKED + CHUNKED + "\r\n0\r\n\r\n",
    **{f"coding {coding!r}":
       f"{OK}Transfer-Encoding: {coding}\r\n\r\n0\r\n\r\n"
       for coding in ("", "gzip", "identity", "xchunked", "gzip, chunked",
                      "chunked, gzip", "chunked, chunked", "chunked;a=b",
                      "\x0bchunked", "foo")},
    "a coding in HTTP/1.0": "HTTP/1.0 200 OK\r\n" + CHUNKED +
    "\r\n0\r\n\r\n",
}

# The head is good, the body is not.
BAD_BODIES = {
    **{f"chunk {chunk[:30]!r}": OK + CHUNKED + "\r\n" + chunk for chunk in (
        "x\r\n", "\r\nok\r\n0\r\n\r\n", "-2\r\nok\r\n0\r\n\r\n",
        "0x2\r\nok\r\n0\r\n\r\n", " 2\r\nok\r\n0\r\n\r\n",
        "2 \r\nok\r\n0\r\n\r\n", "10000000000000002\r\nok\r\n0\r\n\r\n",
        "8000000000000000\r\nok\r\n0\r\n\r\n", "f" * 40 + "\r\nok\r\n",
        "2\nok\r\n0\r\n\r\n", "2\r\nok\n0\r\n\r\n", "2\r\nok0\r\n\r\n",
        "2\r\nok!\r\n0\r\n\r\n", "2;\r\nok\r\n0\r\n\r\n",
        "2;a=\x01\r\nok\r\n0\r\n\r\n", "2;a\nok\r\n0\r\n\r\n",
        '2;a="\r\nok\r\n0\r\n\r\n', "2\r\nok\r\n0\n\r\n",
        "2\r\nok\r\n0\r\nX\r\n\r\n", "2\r\nok\r\n0\r\nX : y\r\n\r\n",
        "2\r\nok\r\n0\r\nX: a\x01\r\n\r\n", "2\r\nok\r\n0\r\nX: a\r\n b\r\n"
        "\r\n", "2\r\nok\r\n0\r\nX: " + "x" * 200000, "2;a=" + "x" * 200000,
        "2\r\nok\r\n0\r\n\n")},
}

# Responses cut off by the backend's close.
CUT_BODIES = {
    "length": OK + "Content-Length: 3\r\n\r\nok",
    "length, no byte": OK + "Content-Length: 3\r\n\r\n",
    "chunked, no byte": OK + CHUNKED + "\r\n",
    "in a size": OK + CHUNKED + "\r\n2\r\nok\r\n5",
    "in a chunk": OK + CHUNKED + "\r\n2\r\no",
    "behind a chunk": OK + CHUNKED + "\r\n2\r\nok\r\n",
    "before the end": OK + CHUNKED + "\r\n2\r\nok\r\n0\r\n",
    "in a trailer": OK + CHUNKED + "\r\n2\r\nok\r\n0\r\nX: y\r\n",
}


@pytest.fixture(name="shared", scope="module")
def fixture_shared():
    with gateway() as d:
        yield d


@pytest.fixture(name="d")
def fixture_d(shared):
    shared.recorder.reset()
    return shared


@pytest.mark.parametrize("name", GOOD)
def test_good(d, name):
    data, status, field, body = GOOD[name]
    with d.raw() as c:
        for _ in range(2):
            d.recorder.replies(data)
            c.send(GET + "\r\n")
            response = c.response()
            assert response.status == status, response
            assert response.body == encode(body)
            assert field is None or field in response.pairs
        d.recorder.answer = say_what_was_asked
        assert_kept(c)
    # The backend's connection is kept, like the client's.
    assert len({s.connection.number for s in d.recorder.seen}) == 1


def test_fields_keep_their_order(d):
    d.recorder.replies(OK + "Set-Cookie: a=1\r\nX: 1\r\nSet-Cookie: b=2, 3\r\n"
                       "Set-Cookie: a=4\r\nContent-Length: 2\r\n\r\nok")
    with d.raw() as c:
        c.send(GET + "\r\n")
        pairs = c.response().pairs
    # RFC 9110 section 5.3: the one field that can't be put in a list.
    assert [v for n, v in pairs if n == "set-cookie"] == ["a=1", "b=2, 3",
                                                          "a=4"]


@pytest.mark.parametrize("head", ["Content-Length: 5\r\n", CHUNKED, ""])
def test_head_has_no_body(d, head):
    """With any framing; and no body is awaited from the backend."""
    d.recorder.replies(OK + head + "\r\n")
    with d.raw() as c:
        for _ in range(3):
            c.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n")
            response = c.response(head_request=True)
            assert response.status == 200
            if "Length" in head:
                assert response.headers["content-length"] == "5"
        d.recorder.answer = say_what_was_asked
        assert_kept(c)


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_until_close(d, version):
    d.recorder.replies_and_closes(f"HTTP/{version} 200 OK\r\n\r\n"
                                  + "z" * 70000)
    with d.raw() as c:
        c.send(GET + "\r\n")
        response = c.response()
        assert response.headers["transfer-encoding"] == "chunked"
        assert response.body == b"z" * 70000
        c.send("GET / HTTP/1.0\r\n\r\n")
        response = c.response()
        assert "transfer-encoding" not in response.headers
        assert response.body == b"z" * 70000


def test_a_coding_for_http10_is_undone(d):
    d.recorder.replies(OK + CHUNKED + "Trailer: X\r\n\r\n2;a=b\r\nok\r\n0\r\n"
                       "X: y\r\n\r\n")
    with d.raw() as c:
        c.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        response = c.response()
        assert "transfer-encoding" not in response.headers
        assert response.body == b"ok"


# ---- interim responses ----


INTERIM = ("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nX-Hop: 1\r\n"
           "Connection: X-Hop\r\n\r\n"
           "HTTP/1.1 102 Processing\r\n\r\n"
           "HTTP/1.1 103 Early Hints\r\nLink: </b>\r\n\r\n")


@pytest.mark.parametrize("pieces", ["together", "apart"])
def test_interim_responses_go_on(d, pieces):
    def answer(connection, seen):
        seen.read_body()
        connection.send(INTERIM)
        if pieces == "apart":
            read.wait()
        connection.send(OK_2)

    d.recorder.answer = answer
    with d.raw() as c:
        for _ in range(2):
            read = Event()
            c.send(GET + "\r\n")
            first = c.response()
            assert first.status == 103 and first.headers["link"] == "</a>"
            assert "x-hop" not in first.headers
            for name in ("content-length", "transfer-encoding"):
                assert name not in first.headers
            assert c.response().status == 102
            assert c.response().headers["link"] == "</b>"
            read.set()
            response = c.response()
            assert response.status == 200 and response.body == b"ok"
            assert "link" not in response.headers


def test_interim_responses_are_not_for_http10(d):
    d.recorder.replies(INTERIM + OK_2)
    with d.raw() as c:
        c.send("GET / HTTP/1.0\r\n\r\n")
        response = c.response()
        assert response.status == 200 and response.body == b"ok"
        assert c.is_closed()


def test_a_bad_interim_response(d):
    d.recorder.replies("HTTP/1.1 103 Early Hints\r\nX : y\r\n\r\n" + OK_2)
    assert d.get("/").status == 502


# ---- faulty responses ----


def assert_is_not_used_again(d, c):
    """The next request is answered, over a new connection."""
    bad = d.recorder.seen[-1].connection.number
    d.recorder.reset()
    assert_kept(c)
    assert d.recorder.wait_seen()[0].connection.number != bad


@pytest.mark.parametrize("name", BAD_HEADS)
def test_bad_heads(d, name):
    d.recorder.replies(BAD_HEADS[name])
    with d.raw() as c:
        c.send(GET + "\r\n")
        response = c.response()
        assert response.status == 502, response
        assert response.headers["content-type"] == "application/json"
        assert_is_not_used_again(d, c)


@pytest.mark.parametrize("pieces", ["together", "apart"])
@pytest.mark.parametrize("name", BAD_BODIES)
def test_bad_bodies(d, name, pieces):
    def answer(connection, seen):
        seen.read_body()
        head, _, body = encode(BAD_BODIES[name]).partition(b"\r\n\r\n")
        if pieces == "together":
            connection.send(head + b"\r\n\r\n" + body)
        else:
            connection.send(head + b"\r\n\r\n5\r\nfirst\r\n")
            read.wait()
            connection.send(body)

    read = Event()
    d.recorder.answer = answer
    with d.raw() as c:
        c.send(GET + "\r\n")
        data = b""
        if pieces == "apart":
            while b"first" not in data:
                data += c.file.read1(65536)
                assert data
            read.set()
        data += c.file.read() if pieces == "apart" else first_answer(c)
        if not data.startswith(b"HTTP/1.1 502"):
            assert data.startswith(b"HTTP/1.1 200")
            assert not is_whole(data), data
    with d.raw() as c:
        assert_is_not_used_again(d, c)


def first_answer(c):
    """A 502 that keeps its connection, or all bytes until a close."""
    line = c.file.peek(12)[:12]
    if line != b"HTTP/1.1 502":
        return c.file.read()
    c.response()
    return line


@pytest.mark.parametrize("goodbye", ["close", "reset"])
@pytest.mark.parametrize("name", CUT_BODIES)
def test_cut_bodies(d, name, goodbye):
    def answer(connection, seen):
        seen.read_body()
        connection.send(CUT_BODIES[name])
        read.wait()
        if goodbye == "reset":
            connection.reset()
        return False

    read = Event()
    d.recorder.answer = answer
    with d.raw() as c:
        c.send(GET + "\r\n")
        data = b""
        while b"\r\n\r\n" not in data:
            data += c.file.read1(65536)
            assert data
        read.set()
        data += c.file.read()
        assert data.startswith(b"HTTP/1.1 200") and not is_whole(data)


# ---- surplus bytes ----


EXTRA = OK + "Content-Length: 5\r\n\r\nWRONG"
TOO_MUCH = {
    "length": ("GET", OK_2),
    "no bytes": ("GET", OK + "Content-Length: 0\r\n\r\n"),
    "chunked": ("GET", OK + CHUNKED + "\r\n2\r\nok\r\n0\r\n\r\n"),
    "trailers": ("GET", OK + CHUNKED + "\r\n2\r\nok\r\n0\r\nX: y\r\n\r\n"),
    "204": ("GET", "HTTP/1.1 204 No Content\r\n\r\n"),
    "204 with a length": ("GET", "HTTP/1.1 204 No Content\r\n"
                          f"Content-Length: {len(EXTRA)}\r\n\r\n"),
    "304": ("GET", "HTTP/1.1 304 Not Modified\r\n\r\n"),
    "304 with a length": ("GET", "HTTP/1.1 304 Not Modified\r\n"
                          f"Content-Length: {len(EXTRA)}\r\n\r\n"),
    "HEAD": ("HEAD", f"{OK}Content-Length: {len(EXTRA)}\r\n\r\n"),
    "HEAD in chunks": ("HEAD", OK + CHUNKED + "\r\n"),
}


@pytest.mark.parametrize("name", TOO_MUCH)
def test_bytes_behind_a_response(d, name):
    """A body where none may be, or a second response: no client gets the
    bytes."""
    method, data = TOO_MUCH[name]
    with d.raw() as c:
        for _ in range(3):
            d.recorder.replies(data + EXTRA)
            c.send(f"{method} / HTTP/1.1\r\nHost: a\r\n\r\n")
            response = c.response(head_request=method == "HEAD")
            # The whole response may also be refused.
            assert response.status in (200, 204, 304, 502)
            assert b"WRONG" not in response.body
            assert_is_not_used_again(d, c)
