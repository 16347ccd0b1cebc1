"""Goal: every wait ends, with a status that names the wait. A client can't
stretch a wait by sending a little now and then."""

import select
import socket

import pytest

from harness import in_parallel, wait_for
from wire import CHUNKED, GET, POST, Event, assert_kept, gateway

BLOCK = b"x" * 65536
PACE = 0.02  # between the bytes of a slow sender
LARGE = 32 << 20  # more than all the kernel's buffers on the way hold


def drip(c, data, pace=PACE):
    """Says a byte at a time, until an answer comes or all is said."""
    c.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for byte in data:
        if select.select([c.sock], [], [], pace)[0]:
            break
        c.send(bytes([byte]))


def push(c, size, patience):
    """Sends until a response comes or the socket stays full; the count of
    bytes."""
    sent = 0
    while sent < size:
        readable, writable, _ = select.select([c.sock], [c.sock], [],
                                              patience)
        if readable or not writable:
            break
        sent += c.sock.send(BLOCK[:min(size - sent, len(BLOCK))],
                            socket.MSG_DONTWAIT)
    return sent


def assert_timed_out(c, status=408):
    response = c.response()
    assert response.status == status, response
    assert response.json()["status"] == status
    assert response.headers["connection"] == "close"
    assert c.is_closed()


# ---- the client's head ----


@pytest.fixture(name="heads", scope="module")
def fixture_heads():
    with gateway(client={"header_timeout": "300ms",
                         "keep_alive": "300ms"}) as d:
        yield d


@pytest.mark.parametrize("said", ["G", "GET / HTTP/1.1\r\n", GET,
                                  GET + "X: y\r\n", "\r\n"])
def test_a_head_that_stops(heads, said):
    with heads.raw() as c:
        c.send(said)
        if said == "\r\n":
            # No request has begun: a close without a word will do as well.
            assert c.rest()[:13] in (b"", b"HTTP/1.1 408 ")
        else:
            assert_timed_out(c)


def test_a_head_that_drips(heads):
    """Each byte is in time; the head as a whole is not."""
    with heads.raw() as c:
        drip(c, GET.encode() + b"X: " + b"y" * 3000)
        assert_timed_out(c)


def test_many_heads_that_drip(heads):
    """Slow clients hold up no one else."""
    def slow(_):
        with heads.raw() as c:
            drip(c, GET.encode() + b"X: " + b"y" * 3000)
            assert_timed_out(c)

    def quick(_):
        with heads.raw() as c:
            for _ in range(20):
                assert_kept(c)

    heads.recorder.reset()
    in_parallel(40, lambda i: quick(i) if i % 10 == 0 else slow(i))
    heads.wait_in_flight(0)


def test_the_second_head_has_its_own_time(heads):
    with heads.raw() as c:
        assert_kept(c)
        c.send("GET /")
        assert_timed_out(c)


def test_a_client_that_says_nothing(heads):
    with heads.raw() as c:
        assert c.rest()[:13] in (b"", b"HTTP/1.1 408 ")


def test_an_idle_client(heads):
    """Between requests no response is due."""
    with heads.raw() as c:
        assert_kept(c)
        assert c.rest() == b""


# ---- the client's body ----


@pytest.fixture(name="bodies", scope="module")
def fixture_bodies():
    with gateway(client={"body_timeout": "300ms", "body_rate": "1000"}) as d:
        yield d


@pytest.mark.parametrize("framing", ["Content-Length: 5000\r\n\r\n",
                                     CHUNKED + "\r\n1388\r\n"])
@pytest.mark.parametrize("how", ["stops", "never begins", "drips"])
def test_a_body_that_is_slow(bodies, framing, how):
    """50 bytes a second never make 1000; the backend gets no request."""
    with bodies.raw() as c:
        c.send("POST /never HTTP/1.1\r\nHost: a\r\n" + framing)
        if how == "stops":
            c.send("x" * 100)
        elif how == "drips":
            drip(c, b"x" * 5000)
        assert_timed_out(c)
    bodies.wait_in_flight(0)


def test_a_body_that_is_slow_but_comes(bodies):
    """Over the rate, and for much longer than the timeout."""
    data = b"x" * 100
    bodies.recorder.reset()
    with bodies.raw() as c:
        c.send(POST + "Content-Length: 5000\r\n\r\n")
        for _ in range(50):
            assert not select.select([c.sock], [], [], PACE)[0]
            c.send(data)
        assert c.response().status == 200
    assert bodies.recorder.wait_seen()[0].body == data * 50


def test_a_drip_of_chunks(bodies):
    """Framing is not progress: one byte in a chunk with a long extension."""
    chunk = "1;" + "e" * 200 + "\r\nx\r\n"
    with bodies.raw() as c:
        c.send("POST /never HTTP/1.1\r\nHost: a\r\n" + CHUNKED + "\r\n")
        for _ in range(500):
            if select.select([c.sock], [], [], PACE)[0]:
                break
            c.send(chunk)
        # Or too many bytes come before the time is over.
        assert c.response().status in (408, 413, 431)
        assert c.rest() == b""


def test_a_backend_that_is_slow_is_not_the_clients_fault():
    """The body waits for the backend: nothing is awaited of the client."""
    def answer(connection, seen):
        go_on.wait()
        connection.reply(str(len(seen.read_body())))

    go_on = Event()
    with gateway(client={"body": "64m", "body_timeout": "200ms",
                         "body_rate": "1000"}) as d:
        d.recorder.answer = answer
        with d.raw() as c:
            c.send(POST + f"Content-Length: {LARGE}\r\n\r\n")
            left = LARGE - push(c, LARGE, patience=1)
            # Five times the timeout, without a 408.
            assert left > 0 and not select.select([c.sock], [], [], 0)[0]
            go_on.set()
            assert push(c, left, patience=10) == left
            assert c.response().body == str(LARGE).encode()


# ---- a client that does not read ----


def test_a_client_that_does_not_read():
    size = 64 << 20

    def answer(connection, seen):
        seen.read_body()
        connection.send(f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n")
        for _ in range(size // len(BLOCK)):
            connection.send(BLOCK)

    with gateway(client={"send_timeout": "200ms"}) as d:
        d.recorder.answer = answer
        with d.raw(receive_buffer=4096) as c:
            c.send(GET + "\r\n")
            d.wait_in_flight(1)
            d.wait_in_flight(0)
            wait_for(lambda: d.cluster()["workers"][0]["connections"] == 0,
                     "it is dropped")
            try:
                assert len(c.rest()) < size
            except ConnectionResetError:
                pass


def read_to_the_reset(c):
    """A clean end would mean a complete response."""
    with pytest.raises(ConnectionResetError):
        while c.sock.recv(65536):
            pass


def test_an_answer_cut_short_that_only_a_close_would_end():
    """The client does not read."""
    def answer(connection, _):
        connection.send("HTTP/1.1 200 OK\r\n\r\n")
        for _ in range(LARGE // len(BLOCK)):
            connection.send(BLOCK)
        return False

    with gateway(client={"send_timeout": "200ms"}) as d:
        d.recorder.answer = answer
        with d.raw(receive_buffer=4096) as c:
            c.send("GET / HTTP/1.0\r\n\r\n")
            d.wait_in_flight(1)
            d.wait_in_flight(0)
            wait_for(lambda: d.cluster()["workers"][0]["connections"] == 0,
                     "it is dropped")
            read_to_the_reset(c)


@pytest.mark.parametrize("how", ["stops", "ends"])
def test_an_early_answer_that_only_a_close_would_end(bodies, how):
    """The client does not send the rest of its body."""
    def answer(connection, seen):
        connection.send("HTTP/1.1 200 OK\r\n\r\nfirst")
        return stays(connection, seen)

    bodies.recorder.reset()
    bodies.recorder.answer = answer
    with bodies.raw() as c:
        c.send("POST / HTTP/1.0\r\nContent-Length: 10\r\n\r\nabc")
        data = b""
        while b"first" not in data:
            data += c.sock.recv(65536)
        if how == "ends":
            c.end_sending()
        read_to_the_reset(c)


# ---- the backend ----


@pytest.fixture(name="backs", scope="module")
def fixture_backs():
    with gateway(service_keys={"timeouts": {"read": "200ms",
                                            "send": "200ms"}},
                 client={"body": "64m"}) as d:
        yield d


def stays(connection, _):
    """Until the gateway closes."""
    try:
        connection.file.read()
    except OSError:
        pass
    return False


@pytest.mark.parametrize("said", ["", "HTTP/1.1 200", "HTTP/1.1 200 OK\r\nX",
                                  "HTTP/1.1 103 Early Hints\r\n\r\n"])
def test_a_backend_that_stops(backs, said):
    def answer(connection, seen):
        seen.read_body()
        connection.send(said)
        return stays(connection, seen)

    backs.recorder.reset()
    backs.recorder.answer = answer
    with backs.raw() as c:
        c.send(GET + "\r\n")
        response = c.response()
        if response.status == 103:
            response = c.response()
        assert response.status == 504
        assert response.json()["status"] == 504
        # The backend was slow: the client may stay.
        backs.recorder.reset()
        assert_kept(c)
    number = {s.connection.number for s in backs.recorder.seen}
    assert len(number) == 1


def test_a_backend_that_stops_in_the_body(backs):
    def answer(connection, seen):
        seen.read_body()
        connection.send("HTTP/1.1 200 OK\r\n" + CHUNKED + "\r\n3\r\nabc\r\n")
        return stays(connection, seen)

    backs.recorder.reset()
    backs.recorder.answer = answer
    with backs.raw() as c:
        c.send(GET + "\r\n")
        data = c.rest()
        assert b"abc" in data and not data.endswith(b"0\r\n\r\n")


def test_a_backend_that_does_not_take_the_body(backs):
    def answer(connection, _):
        over.wait()
        return False

    over = Event()
    backs.recorder.reset()
    backs.recorder.answer = answer
    with backs.raw() as c:
        c.send(POST + f"Content-Length: {LARGE}\r\n\r\n")
        assert push(c, LARGE, patience=10) < LARGE
        assert c.response().status == 504
        over.set()


def test_a_wait_in_the_queue_that_is_too_long():
    """503, and when to come back."""
    def answer(connection, seen):
        seen.read_body()
        inside.set()
        go_on.wait()
        connection.reply("ok")

    inside, go_on = Event(), Event()
    with gateway(service_keys={"pool": {"connections": 1, "queue": 10,
                                        "queue_timeout": "150ms"}}) as d:
        d.recorder.answer = answer
        with d.raw() as first, d.raw() as second:
            first.send(GET + "\r\n")
            inside.wait()
            second.send(GET + "\r\n")
            response = second.response()
            assert response.status == 503
            assert int(response.headers["retry-after"]) >= 1
            go_on.set()
            assert first.response().status == 200
            d.recorder.reset()
            assert_kept(second)
