"""Bytes in, bytes out: a backend that keeps received requests, and a gateway
that the rows of a table share."""

import contextlib
import os
import re
import shutil
import tempfile
import threading

from backends import Backend
from harness import (DEADLINE, Drover, parse_headers, read_chunks, read_head,
                     route, service, wait_for)

GET = "GET / HTTP/1.1\r\nHost: a\r\n"
POST = "POST / HTTP/1.1\r\nHost: a\r\n"
CHUNKED = "Transfer-Encoding: chunked\r\n"

# The only heads that may reach a backend (RFC 9112 sections 3 and 5).
TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
REQUEST_LINE = re.compile(TOKEN + rb" [\x21-\x7e]+ HTTP/1\.1")
FIELD_LINE = re.compile(TOKEN + rb":[\t\x20-\x7e\x80-\xff]*")


class Seen:
    """A request as received by the backend."""

    def __init__(self, connection, head):
        self.connection = connection
        self.raw_head = head
        lines = head[:-4].split(b"\r\n")
        self.line = lines[0].decode("latin-1")
        self.method, self.target = self.line.split(" ")[:2]
        self.pairs = parse_headers(lines[1:])
        self.body = None
        self.trailers = []
        self.check(lines)

    def check(self, lines):
        assert REQUEST_LINE.fullmatch(lines[0]), lines[0]
        for line in lines[1:]:
            assert FIELD_LINE.fullmatch(line), line
        assert len(self.values("host")) == 1, self.pairs
        lengths = self.values("content-length")
        codings = self.values("transfer-encoding")
        assert len(lengths) + len(codings) <= 1, self.pairs
        assert codings in ([], ["chunked"]), self.pairs
        assert all(re.fullmatch("[0-9]{1,18}", v) for v in lengths), lengths

    def values(self, name):
        return [v for n, v in self.pairs if n == name]

    def value(self, name):
        """All lines of a field, as one (RFC 9110 section 5.3)."""
        return ", ".join(self.values(name))

    @property
    def whole(self):
        return self.body is not None

    def read_body(self):
        if self.whole:
            return self.body
        if self.values("transfer-encoding"):
            body, self.trailers = read_chunks(self.connection.file)
        else:
            size = int(self.value("content-length") or 0)
            body = self.connection.file.read(size)
            if len(body) < size:
                raise OSError("the request was cut short")
        self.body = body
        return body

    def __repr__(self):
        return f"<{self.raw_head!r} {self.body!r} {self.trailers!r}>"


def say_what_was_asked(connection, seen):
    seen.read_body()
    body = f"{seen.method} {seen.target}".encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    connection.send(head if seen.method == "HEAD" else head + body)


class Recorder(Backend):
    """answer(connection, seen) is called with each request's head read; the
    body is read by then or after. False ends the connection."""

    def __init__(self):
        self.faults = []
        self.reset()
        super().__init__(self._record)

    def reset(self):
        self.answer = say_what_was_asked
        self.seen = []

    def _record(self, connection):
        try:
            while head := read_head(connection.file.read):
                if not head.endswith(b"\r\n\r\n"):
                    return
                seen = Seen(connection, head)
                self.seen.append(seen)
                if self.answer(connection, seen) is False:
                    return
                seen.read_body()
                assert seen.target != "/never", seen
        except AssertionError as e:
            # An OSError is no fault: a body that ends with its connection is
            # how Drover tells the backend that the body is cut short.
            self.faults.append(e)

    def wait_seen(self, count=1):
        """The requests since the last reset, all whole."""
        wait_for(lambda: len([s for s in self.seen if s.whole]) >= count,
                 f"{count} requests at the backend: {self.seen}")
        faults, self.faults = self.faults, []
        assert not faults, faults
        assert len(self.seen) == count, self.seen
        return self.seen

    def replies(self, data):
        """From now on each request is answered with these bytes, and the
        connection is kept."""
        data = data.encode("latin-1") if isinstance(data, str) else data

        def answer(connection, seen):
            seen.read_body()
            connection.send(data)

        self.answer = answer

    def replies_and_closes(self, data):
        self.replies(data)
        answer = self.answer

        def last_answer(connection, seen):
            answer(connection, seen)
            return False

        self.answer = last_answer


@contextlib.contextmanager
def gateway(routes=None, service_keys=None, **config):
    """A gateway with one worker and a Recorder, d.recorder, behind. No request
    for /never may reach the Recorder whole."""
    place = tempfile.mkdtemp(prefix="drover-test-")
    os.chmod(place, 0o711)
    recorder = Recorder()
    d = None
    try:
        d = Drover(place, workers=1, routes=routes or [route("/", "b")],
                   services=[service("b", recorder.address,
                                     **(service_keys or {}))], **config)
        d.recorder = recorder
        yield d
        d.stop()
        wait_for(lambda: not recorder.open, "the backend has read it all")
        assert not recorder.faults, recorder.faults
    finally:
        if d is not None:
            d.kill()
        recorder.stop()
        shutil.rmtree(place, ignore_errors=True)


def encode(data):
    return data.encode("latin-1") if isinstance(data, str) else data


def as_statuses(status):
    return (status,) if isinstance(status, int) else status


def assert_kept(c):
    """The connection is good for another request."""
    c.send("GET /kept HTTP/1.1\r\nHost: a\r\n\r\n")
    response = c.response()
    assert response.status == 200, response
    assert response.body == b"GET /kept"


def assert_refused(d, data, status, forwarded=False, half_close=False):
    """A response and the end; the Recorder has received nothing."""
    before = d.service("b")["requests"]
    with d.raw() as c:
        c.send(encode(data))
        if half_close:
            c.end_sending()
        response = c.response()
        assert response.status in as_statuses(status), response
        assert response.headers["connection"] == "close"
        assert c.rest() == b""
    if not forwarded:
        assert d.service("b")["requests"] == before
    return response


def is_whole(data):
    """Whether the last response in a connection's bytes is whole, for a client
    that believes the head."""
    head, _, body = data.partition(b"\r\n\r\n")
    headers = dict(parse_headers(head.split(b"\r\n")[1:]))
    if headers.get("transfer-encoding") == "chunked":
        return body.endswith(b"0\r\n\r\n")
    assert "content-length" in headers, "only a close could tell its end"
    return len(body) == int(headers["content-length"])


class Event:
    """Set by the client's side, awaited by the backend's."""

    def __init__(self):
        self.event = threading.Event()
        self.set = self.event.set

    def wait(self):
        if not self.event.wait(DEADLINE):
            raise TimeoutError("the client never came that far")


class Background:
    """A call in a thread of its own."""

    def __init__(self, function, *args):
        self.error = None
        self.result = None
        self.thread = threading.Thread(target=self._run,
                                       args=(function, *args), daemon=True)
        self.thread.start()

    def _run(self, function, *args):
        try:
            self.result = function(*args)
        except BaseException as e:  # pylint: disable=broad-except
            self.error = e

    def join(self, deadline=30):
        self.thread.join(deadline)
        assert not self.thread.is_alive(), "still running"
        if self.error is not None:
            raise self.error
        return self.result
