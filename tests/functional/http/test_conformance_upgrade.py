"""Goal: an upgraded connection becomes a tunnel: bytes both ways, and each end
passed on alone. A request unfit for a tunnel gets none."""

import hashlib
import threading

import pytest

from harness import route, wait_for
from wire import (GET, Background, Event, assert_kept, gateway,
                  say_what_was_asked)

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
ASK = ("GET /ws HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\n"
       f"Upgrade: websocket\r\nSec-WebSocket-Key: {KEY}\r\n"
       "Sec-WebSocket-Version: 13\r\n\r\n")
YES = ("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
       "Connection: Upgrade\r\nSec-WebSocket-Accept: xyz\r\n\r\n")


def ask_for(protocol, more=""):
    return (GET + f"Connection: Upgrade\r\nUpgrade: {protocol}\r\n{more}"
            "\r\n")


@pytest.fixture(name="shared", scope="module")
def fixture_shared():
    with gateway() as d:
        yield d


@pytest.fixture(name="d")
def fixture_d(shared):
    shared.recorder.reset()
    yield shared
    shared.wait_in_flight(0)


def switches(then, reply=YES):
    def answer(connection, seen):
        seen.read_body()
        connection.send(reply)
        then(connection)
        return False
    return answer


def echoes(connection):
    while data := connection.file.read1(65536):
        connection.send(data)


def test_websocket(d):
    d.recorder.answer = switches(echoes)
    with d.raw() as c:
        c.send(ASK)
        response = c.response()
        assert response.status == 101
        assert response.headers["upgrade"] == "websocket"
        assert response.headers["connection"].lower() == "upgrade"
        assert response.headers["sec-websocket-accept"] == "xyz"
        for name in ("content-length", "transfer-encoding"):
            assert name not in response.headers
        for piece in (b"\x81\x05hello", bytes(range(256)), b"\r\n\r\n",
                      b"GET / HTTP/1.1\r\n\r\n"):
            c.send(piece)
            assert c.file.read(len(piece)) == piece
        assert d.in_flight() == 1
        c.end_sending()
        assert c.is_closed()
    seen = d.recorder.seen[0]
    assert seen.values("upgrade") == ["websocket"]
    assert seen.value("connection").lower() == "upgrade"
    assert seen.values("sec-websocket-key") == [KEY]
    assert seen.values("sec-websocket-version") == ["13"]


@pytest.mark.parametrize("protocol", ["foo", "foo/2", "IRC/6.9", "TLS/1.0",
                                      "WebSocket"])
def test_any_other_protocol(d, protocol):
    d.recorder.answer = switches(
        echoes, f"HTTP/1.1 101 X\r\nConnection: upgrade\r\n"
        f"Upgrade: {protocol}\r\n\r\n")
    with d.raw() as c:
        c.send(ask_for(protocol))
        response = c.response()
        assert response.status == 101
        assert response.headers["upgrade"] == protocol
        c.send("hello")
        assert c.file.read(5) == b"hello"
    assert d.recorder.seen[0].values("upgrade") == [protocol]


def test_bytes_right_behind_both_heads(d):
    """Neither end waits to hear of the other's consent."""
    d.recorder.answer = switches(echoes, YES + "first")
    with d.raw() as c:
        c.send(ASK + "early")
        assert c.response().status == 101
        assert c.file.read(10) == b"firstearly"
        c.send("later")
        assert c.file.read(5) == b"later"


def test_an_interim_answer_before_it(d):
    d.recorder.answer = switches(
        echoes, "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + YES)
    with d.raw() as c:
        c.send(ASK)
        assert c.response().status == 103
        assert c.response().status == 101
        c.send("x")
        assert c.file.read(1) == b"x"


def test_the_client_ends_first(d):
    """The client's half is over; the backend's remaining bytes arrive."""
    def then(connection):
        connection.send(b"heard " + connection.file.read())
        read.wait()
        connection.send(b" and more")

    read = Event()
    d.recorder.answer = switches(then)
    with d.raw() as c:
        c.send(ASK)
        c.response()
        c.send("all")
        c.end_sending()
        assert c.file.read(9) == b"heard all"
        read.set()
        assert c.rest() == b" and more"


def test_the_backend_ends_first(d):
    def then(connection):
        connection.send("bye")
        connection.sock.shutdown(1)
        heard.append(connection.file.read())

    heard = []
    d.recorder.answer = switches(then)
    with d.raw() as c:
        c.send(ASK)
        c.response()
        assert c.rest() == b"bye"
        # Only the other half has ended.
        c.send("still ")
        c.send("here")
        c.end_sending()
        wait_for(lambda: heard, "the backend hears the rest")
    assert heard == [b"still here"]


def test_a_client_that_breaks_off(d):
    over = threading.Event()

    def then(connection):
        try:
            assert connection.file.read() == b""
        except OSError:
            pass
        finally:
            over.set()

    d.recorder.answer = switches(then)
    with d.raw() as c:
        c.send(ASK)
        c.response()
        c.reset()
    assert over.wait(10), "the backend is told"


def test_a_backend_that_breaks_off(d):
    def then(connection):
        connection.file.read(2)
        connection.reset()

    d.recorder.answer = switches(then)
    with d.raw() as c:
        c.send(ASK)
        assert c.response().status == 101
        c.send("go")
        try:
            assert c.rest() == b""
        except ConnectionResetError:
            pass


SIZE = 4 << 20


def test_much_both_ways_at_once(d):
    """Neither side reads before its writes have filled the buffers."""
    block = bytes(range(256)) * 256

    def talk(send, read):
        writer = Background(lambda: [send(block)
                                     for _ in range(SIZE // len(block))])
        digest, left = hashlib.sha256(), SIZE
        while left > 0:
            data = read(min(left, 65536))
            assert data, f"{left} bytes are missing"
            digest.update(data)
            left -= len(data)
        writer.join()
        return digest.hexdigest()

    def then(connection):
        sums.append(talk(connection.send, connection.file.read1))

    sums = []
    d.recorder.answer = switches(then)
    with d.raw() as c:
        c.send(ASK)
        c.response()
        sums.append(talk(c.send, c.file.read1))
        wait_for(lambda: len(sums) == 2, "both have it all")
    want = hashlib.sha256(block * (SIZE // len(block))).hexdigest()
    assert sums == [want, want]


@pytest.mark.parametrize("status", ["200 OK", "403 Forbidden",
                                    "426 Upgrade Required"])
def test_a_backend_that_declines(d, status):
    def answer(connection, seen):
        seen.read_body()
        connection.reply("no", status=status)

    d.recorder.answer = answer
    with d.raw() as c:
        for _ in range(2):
            c.send(ASK)
            response = c.response()
            assert response.status == int(status[:3])
            assert response.body == b"no"
        d.recorder.answer = say_what_was_asked
        assert_kept(c)
    assert len({s.connection.number for s in d.recorder.seen}) == 1


@pytest.mark.parametrize("offer, want", [
    ("websocket", ["websocket"]), ("h2c, foo/2", ["foo/2"]), ("h2c", []),
    ("TLS/1.3, websocket", ["TLS/1.3, websocket"])])
def test_what_a_client_would_have_to_ask_for(d, offer, want):
    """RFC 9110 section 15.5.22: a 426 must name the protocol."""
    d.recorder.replies("HTTP/1.1 426 Upgrade Required\r\nConnection: Upgrade"
                       f"\r\nUpgrade: {offer}\r\nContent-Length: 0\r\n\r\n")
    with d.raw() as c:
        c.send(GET + "\r\n")
        response = c.response()
        assert response.status == 426
        assert [v for n, v in response.pairs if n == "upgrade"] == want
        named = [v for n, v in response.pairs if n == "connection"]
        assert named == ["Upgrade"] * len(want)
        d.recorder.answer = say_what_was_asked
        assert_kept(c)


def test_a_tunnel_is_not_pooled(d):
    d.recorder.answer = switches(lambda connection: None)
    with d.raw() as c:
        c.send(ASK)
        assert c.response().status == 101
        assert c.is_closed()
    number = d.recorder.seen[0].connection.number
    d.recorder.reset()
    with d.raw() as c:
        assert_kept(c)
    assert d.recorder.wait_seen()[0].connection.number != number


# ---- no tunnel ----


NOT_FORWARDED = {
    "h2c": ask_for("h2c", "HTTP2-Settings: AAMAAABkAAQAAP__\r\n"),
    "h2c, as RFC 7540 has it": GET + "Connection: Upgrade, HTTP2-Settings\r\n"
    "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n",
    "H2C": ask_for("H2C"),
    "HTTP/2.0": ask_for("h2c, H2c"),
    "not named by Connection": GET + "Upgrade: websocket\r\n\r\n",
    "HTTP/1.0": "GET / HTTP/1.0\r\nHost: a\r\nConnection: Upgrade\r\n"
    "Upgrade: websocket\r\n\r\n",
    "with a body": "POST / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n"
    "Upgrade: websocket\r\nContent-Length: 3\r\n\r\nabc",
    "with a chunked body": "POST / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade"
    "\r\nUpgrade: websocket\r\nTransfer-Encoding: chunked\r\n\r\n"
    "3\r\nabc\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("name", NOT_FORWARDED)
def test_not_forwarded(d, name):
    """The request is answered as if without Upgrade."""
    with d.raw() as c:
        c.send(NOT_FORWARDED[name])
        response = c.response()
        assert response.status == 200, response
        if name != "HTTP/1.0":
            assert_kept(c)
    seen = d.recorder.seen[0]
    assert not seen.values("upgrade")
    assert not seen.values("http2-settings")
    assert "upgrade" not in seen.value("connection").lower()


@pytest.mark.parametrize("name", NOT_FORWARDED)
def test_switched_unasked(d, name):
    """A backend that switches nevertheless is not believed."""
    d.recorder.answer = switches(lambda connection: connection.file.read())
    with d.raw() as c:
        c.send(NOT_FORWARDED[name])
        assert c.response().status == 502


@pytest.mark.parametrize("offer", ["h2c, websocket", "websocket, h2c",
                                   "h2c,websocket"])
def test_h2c_is_left_out_of_a_list(d, offer):
    d.recorder.answer = switches(echoes)
    with d.raw() as c:
        c.send(ask_for(offer, "HTTP2-Settings: AAMAAABkAAQAAP__\r\n"))
        assert c.response().status == 101
        c.send("x")
        assert c.file.read(1) == b"x"
    seen = d.recorder.seen[0]
    assert seen.values("upgrade") == ["websocket"]
    assert not seen.values("http2-settings")


@pytest.mark.parametrize("chosen", ["foo", "WebSocket", "foo, websocket"])
def test_several_protocols_are_offered(d, chosen):
    """RFC 9110 section 7.8: the backend chooses, one or several layers."""
    d.recorder.answer = switches(
        echoes, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
        f"Upgrade: {chosen}\r\n\r\n")
    with d.raw() as c:
        c.send(ask_for("foo, websocket"))
        response = c.response()
        assert response.status == 101
        assert response.headers["upgrade"] == chosen
        c.send("x")
        assert c.file.read(1) == b"x"
    assert d.recorder.seen[0].values("upgrade") == ["foo, websocket"]


def test_several_layers_of_which_one_was_not_offered(d):
    d.recorder.answer = switches(
        lambda connection: connection.file.read(),
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
        "Upgrade: websocket, other\r\n\r\n")
    with d.raw() as c:
        c.send(ask_for("foo, websocket"))
        assert c.response().status == 502


@pytest.mark.parametrize("reply", [
    "HTTP/1.1 101 Switching Protocols\r\n\r\n",
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\r\n",
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
    "Upgrade: h2c\r\n\r\n",
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
    "Upgrade: other\r\n\r\n"])
def test_switched_to_something_else(d, reply):
    """RFC 9110 section 7.8: only to a protocol that was offered."""
    d.recorder.answer = switches(lambda connection: connection.file.read(),
                                 reply)
    with d.raw() as c:
        c.send(ASK)
        assert c.response().status == 502


# ---- idle tunnels ----


def test_an_idle_tunnel_is_closed():
    def then(connection):
        connection.send("hello")
        ends.append(connection.file.read())

    ends = []
    with gateway(service_keys={"timeouts": {"tunnel": "200ms"}}) as d:
        d.recorder.answer = switches(then)
        with d.raw() as c:
            c.send(ASK)
            assert c.response().status == 101
            assert c.rest() == b"hello"
        wait_for(lambda: ends == [b""], "the backend's end is closed too")
        d.wait_in_flight(0)


@pytest.mark.parametrize("speaker", ["client", "backend"])
def test_a_tunnel_is_not_idle_while_one_side_speaks(speaker):
    """Twenty words, over four times the limit."""
    words, pause = 20, 0.1

    def then(connection):
        if speaker == "client":
            heard.append(connection.file.read(words))
            connection.send("!")
        else:
            speak(connection.send)
            heard.append(b"x" * words)

    def speak(send):
        for _ in range(words):
            send("x")
            never.wait(pause)

    heard, never = [], threading.Event()
    with gateway(service_keys={"timeouts": {"tunnel": "500ms",
                                            "read": "500ms"}}) as d:
        d.recorder.answer = switches(then)
        with d.raw() as c:
            c.send(ASK)
            assert c.response().status == 101
            if speaker == "client":
                speak(c.send)
                assert c.file.read(1) == b"!"
            else:
                assert c.file.read(words) == b"x" * words
            wait_for(lambda: heard == [b"x" * words], "it has been heard")


def test_a_backend_that_resets_under_a_full_tunnel(d):
    """A backend that stops reading holds up nothing: the tunnel is over when
    the client leaves, long before timeouts.tunnel."""
    full = threading.Event()

    # Closed with unread bytes, the socket resets.
    d.recorder.answer = switches(lambda connection: full.wait(10))
    with d.raw() as c:
        c.send(ASK)
        assert c.response().status == 101
        c.sock.setblocking(False)

        def is_full():
            try:
                while True:
                    c.sock.send(b"x" * 65536)
            except BlockingIOError:
                return d.cluster()["workers"][0]["buffers"] > 1

        wait_for(is_full, "the backlog waits in the worker")
        full.set()
        c.sock.settimeout(10)
        assert c.rest() == b""
    d.wait_in_flight(0)


def test_the_sticky_cookie_comes_with_a_101():
    with gateway(service_keys={"sticky": {"cookie": "at"}}) as d:
        d.recorder.answer = switches(echoes)
        with d.raw() as c:
            c.send(ASK)
            assert c.response().headers["set-cookie"].startswith("at=")


# ---- an upgrade with a body, as `docker exec` asks for ----


EXEC = ("POST /exec HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n"
        "Upgrade: tcp\r\n")
EXEC_BODIES = {
    "length": ("Content-Length: 6\r\n\r\n", ["{\"a\":", "1"]),
    "chunked": ("Transfer-Encoding: chunked\r\n\r\n",
                ["6\r\n{\"a\":1\r\n", "0\r\n\r\n"]),
}
TCP = ("HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n"
       "Content-Type: application/vnd.docker.raw-stream\r\n\r\n")


@pytest.fixture(name="docker", scope="module")
def fixture_docker():
    with gateway(routes=[{**route("/", "b"), "upgrade_body": True}]) as d:
        yield d


@pytest.mark.parametrize("pieces", ["together", "apart"])
@pytest.mark.parametrize("framing", EXEC_BODIES)
def test_an_upgrade_with_a_body(docker, framing, pieces):
    docker.recorder.reset()
    docker.recorder.answer = switches(echoes, TCP)
    head, body = EXEC_BODIES[framing]
    with docker.raw() as c:
        if pieces == "together":
            c.send(EXEC + head + "".join(body) + "early ")
        else:
            c.send(EXEC + head)
            docker.wait_in_flight(1)
            for piece in body:
                c.send(piece)
            c.send("early ")
        response = c.response()
        assert response.status == 101
        assert response.headers["upgrade"] == "tcp"
        c.send("later")
        assert c.file.read(11) == b"early later"
        c.end_sending()
        assert c.is_closed()
    seen = docker.recorder.seen[0]
    assert seen.values("upgrade") == ["tcp"]
    assert seen.body == b"{\"a\":1"
    docker.wait_in_flight(0)


@pytest.mark.parametrize("framing", EXEC_BODIES)
def test_a_backend_that_switches_before_the_body(docker, framing):
    """The client's body ends as a body; the 101 waits until then."""
    def answer(connection, seen):
        connection.send(TCP + "hello ")
        seen.read_body()
        echoes(connection)
        return False

    docker.recorder.reset()
    docker.recorder.answer = answer
    head, body = EXEC_BODIES[framing]
    with docker.raw() as c:
        c.send(EXEC + head + body[0])
        wait_for(lambda: docker.recorder.seen, "the backend has the head")
        c.send(body[1] + "bytes")
        assert c.response().status == 101
        assert c.file.read(11) == b"hello bytes"
        c.end_sending()
        assert c.is_closed()
    assert docker.recorder.seen[0].body == b"{\"a\":1"
    docker.wait_in_flight(0)


def test_a_backend_that_declines_an_upgrade_with_a_body(docker):
    docker.recorder.reset()
    with docker.raw() as c:
        head, body = EXEC_BODIES["length"]
        c.send(EXEC + head + "".join(body))
        assert c.response().body == b"POST /exec"
        assert_kept(c)
