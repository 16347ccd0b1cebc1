"""Goal: `Expect: 100-continue` is between the client and the backend; we step
in only for a backend that says nothing."""

import pytest

from harness import respond, route, wait_for
from wire import (CHUNKED, Event, assert_kept, assert_refused, gateway)

EXPECT = "Expect: 100-continue\r\n"
HEAD = "POST /p HTTP/1.1\r\nHost: a\r\n" + EXPECT
CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n"
BODIES = {
    "length": ("Content-Length: 3\r\n\r\n", "abc"),
    "chunked": (CHUNKED + "\r\n", "3\r\nabc\r\n0\r\n\r\n"),
}


@pytest.fixture(name="shared", scope="module")
def fixture_shared():
    with gateway(routes=[route("/", "b"), respond("/own", 1)],
                 client={"body": "1000"}) as d:
        yield d


@pytest.fixture(name="d")
def fixture_d(shared):
    shared.recorder.reset()
    return shared


def continues(connection, seen):
    if seen.value("expect"):
        connection.send(CONTINUE)
    connection.reply(seen.read_body())


def final(status, rest):
    """The answer instead of a 100; what comes nevertheless goes to rest."""
    def answer(connection, _):
        connection.reply("no", status=f"{status} X")
        rest.append(connection.file.read())
        return False
    return answer


@pytest.mark.parametrize("body", BODIES)
def test_the_backend_asks_for_the_body(d, body):
    head, body = BODIES[body]
    d.recorder.answer = continues
    with d.raw() as c:
        for _ in range(3):
            c.send(HEAD + head)
            assert c.response().status == 100
            c.send(body)
            response = c.response()
            assert response.status == 200 and response.body == b"abc"
    seen = d.recorder.wait_seen(3)
    assert [s.values("expect") for s in seen] == [["100-continue"]] * 3


def test_a_backend_that_is_silent(d):
    """The backend waits for the body, as HTTP/1.0 would: Drover sends 100."""
    d.recorder.answer = lambda c, seen: c.reply(seen.read_body())
    with d.raw() as c:
        for _ in range(2):
            c.send(HEAD + "Content-Length: 3\r\n\r\n")
            assert c.response().status == 100
            c.send("abc")
            assert c.response().body == b"abc"


def test_a_client_that_does_not_wait(d):
    """After any 1xx, the body is taken, once."""
    d.recorder.answer = continues
    with d.raw() as c:
        for _ in range(3):
            c.send(HEAD + "Content-Length: 3\r\n\r\nabc")
            response = c.response()
            while response.status == 100:
                response = c.response()
            assert response.status == 200 and response.body == b"abc"
    assert [s.body for s in d.recorder.wait_seen(3)] == [b"abc"] * 3


def test_a_client_that_has_not_waited_hears_no_100_of_ours(d):
    """The backend's status, unchanged; RFC 9110 section 10.1.1."""
    with d.raw() as c:
        for _ in range(2):
            c.send(HEAD + "Content-Length: 3\r\n\r\nabc")
            assert c.response().status == 200
        d.recorder.answer = continues
        for _ in range(2):
            c.send(HEAD + "Content-Length: 3\r\n\r\nabc")
            assert c.response().status == 100
            assert c.response().status == 200


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("status", [401, 403, 417, 500, 200])
def test_a_final_answer_instead(d, status, body):
    """The response reaches the client, and no 100 asks for the body. Bytes that
    the client sends nevertheless are no request."""
    rest = []
    d.recorder.answer = final(status, rest)
    with d.raw() as c:
        c.send(HEAD + BODIES[body][0])
        response = c.response()
        assert response.status == status and response.body == b"no"
        assert response.headers["connection"] == "close"
        assert c.is_closed()
    wait_for(lambda: rest, "the backend's connection ends")
    assert rest == [b""]


def test_an_interim_answer_is_no_continue(d):
    """103 goes on; the body is still awaited until a 100 comes."""
    def answer(connection, seen):
        connection.send("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
        read.wait()
        continues(connection, seen)

    read = Event()
    d.recorder.answer = answer
    with d.raw() as c:
        c.send(HEAD + "Content-Length: 3\r\n\r\n")
        assert c.response().status == 103
        read.set()
        assert c.response().status == 100
        c.send("abc")
        assert c.response().body == b"abc"


def test_two_continues_are_one_answer(d):
    def answer(connection, seen):
        connection.send(CONTINUE + CONTINUE)
        connection.reply(seen.read_body())

    d.recorder.answer = answer
    with d.raw() as c:
        c.send(HEAD + "Content-Length: 3\r\n\r\n")
        assert c.response().status == 100
        c.send("abc")
        response = c.response()
        assert response.status == 200
        assert response.body == b"abc"
        d.recorder.reset()
        assert_kept(c)


def test_a_late_continue_is_dropped(d):
    """Drover has sent a 100 for the backend that was silent for a second."""
    def answer(connection, seen):
        read.wait()
        connection.send(CONTINUE)
        connection.reply(seen.read_body())

    read = Event()
    d.recorder.answer = answer
    with d.raw() as c:
        c.send(HEAD + "Content-Length: 3\r\n\r\n")
        assert c.response().status == 100
        read.set()
        c.send("abc")
        response = c.response()
        assert response.status == 200
        assert response.body == b"abc"
        d.recorder.reset()
        assert_kept(c)


def test_http10_gets_no_continue(d):
    """RFC 9110 section 10.1.1: an HTTP/1.0 expectation is ignored."""
    d.recorder.answer = continues
    with d.raw() as c:
        c.send("POST / HTTP/1.0\r\n" + EXPECT + "Content-Length: 3\r\n\r\n"
               "abc")
        response = c.response()
        assert response.status == 200 and response.body == b"abc"
        assert c.is_closed()


@pytest.mark.parametrize("lines", [EXPECT, EXPECT + "Content-Length: 0\r\n"])
def test_no_body_to_wait_for(d, lines):
    with d.raw() as c:
        c.send("POST /p HTTP/1.1\r\nHost: a\r\n" + lines + "\r\n")
        response = c.response()
        while response.status == 100:
            response = c.response()
        assert response.status == 200
        assert_kept(c)


@pytest.mark.parametrize("value", ["100-Continue", " 100-CONTINUE "])
def test_spelled_otherwise(d, value):
    d.recorder.answer = continues
    with d.raw() as c:
        c.send(f"POST / HTTP/1.1\r\nHost: a\r\nExpect:{value}\r\n"
               "Content-Length: 3\r\n\r\n")
        assert c.response().status == 100
        c.send("abc")
        assert c.response().body == b"abc"


@pytest.mark.parametrize("value", ["meaning", "100-continued", "200-ok",
                                   "100-continue, more", "x=y"])
def test_another_expectation(d, value):
    assert_refused(d, f"POST / HTTP/1.1\r\nHost: a\r\nExpect: {value}\r\n"
                   "Content-Length: 3\r\n\r\n", 417)


def test_refused_before_the_body_is_asked_for(d):
    assert_refused(d, HEAD + "Content-Length: 1001\r\n\r\n", 413)
    assert_refused(d, HEAD + "Content-Length: 3\r\n" + CHUNKED + "\r\n", 400)


def test_nobody_is_asked_for_a_body_in_vain(d):
    """A final answer of our own: the first thing to come is that."""
    with d.raw() as c:
        c.send("POST /own HTTP/1.1\r\nHost: a\r\n" + EXPECT +
               "Content-Length: 3\r\n\r\n")
        response = c.response()
        assert response.status == 200
        assert response.headers["connection"] == "close"
        assert c.is_closed()


def test_no_route_for_it():
    with gateway(routes=[route("/api", "b")]) as d, d.raw() as c:
        c.send(HEAD + "Content-Length: 3\r\n\r\n")
        response = c.response()
        assert response.status == 404
        assert response.headers["connection"] == "close"
        assert c.is_closed()
