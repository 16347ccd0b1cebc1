"""Goal: the access log has every request, as text and as JSON, and never gets
in the way."""

import json
import os
import re
import signal
import subprocess
import threading
import time

import pytest

import samples
from harness import (DROVER, SANITIZER, Process, Raw, free_port, handler,
                     respond, route, service, wait_for)

GET = "GET {} HTTP/1.1\r\nHost: a\r\n\r\n"
PLACED = ["client", "time", "request", "status", "bytes", "total"]
NAMED = ["host", "route", "service", "upstream", "tries", "head_in", "bytes_in",
         "queue", "connect", "first", "breaker", "end", "reason", "id", "instance",
         "worker"]
VALUE = r'("[^"]*"|[^ "]+)'
LINE = re.compile(" ".join([VALUE] * len(PLACED) +
                           [f"{name}={VALUE}" for name in NAMED]))
NUMBERS = {"status", "bytes", "tries", "head_in", "bytes_in", "worker"}
SECONDS = {"total", "queue", "connect", "first"}
GONE = ("client_closed", "client_reset")
BREAKER = {"failures": 3, "window": "10s", "open_for": "60s"}


def from_text(line):
    """The object that JSON would give."""
    match = LINE.fullmatch(line)
    assert match, line
    record = {}
    for name, value in zip(PLACED + NAMED, match.groups()):
        value = value.strip('"')
        if name in NUMBERS:
            record[name] = int(value)
        elif value == "-":
            record[name] = None
        elif name in SECONDS:
            assert re.fullmatch(r"\d+\.\d{6}", value), line
            record[name] = float(value)
        else:
            record[name] = value
    return record


def from_json(line):
    record = json.loads(line)
    assert list(record) == PLACED + NAMED
    for name in SECONDS:
        assert record[name] is None or isinstance(record[name], (int, float))
    for name in NUMBERS:
        assert isinstance(record[name], int)
    return record


class Log:
    """Gateways whose access log is read while written."""

    def __init__(self, drover, place, form):
        self.drover, self.place, self.form = drover, place, form
        self.path = os.path.join(place, "access.log")

    def start(self, **more):
        return self.drover(log={"access": self.path, "format": self.form},
                           **{"workers": 1, **more})

    def lines(self):
        with open(self.path, encoding="ascii", newline="\n") as f:
            return f.read().splitlines()

    def records(self, count):
        """Waits for exactly so many lines."""
        wait_for(lambda: len(self.lines()) >= count, f"{count} lines")
        read = from_json if self.form == "json" else from_text
        records = [read(line) for line in self.lines()]
        assert len(records) == count
        for r in records:
            assert r["client"] == "127.0.0.1" and r["instance"] == "drover"
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z",
                                r["time"])
        return records


@pytest.fixture(name="log", params=["text", "json"])
def fixture_log(drover, place, request):
    return Log(drover, place, request.param)


def test_a_record_per_request(log):
    d = log.start(routes=[respond("/", "ok"), handler("/cpu", "cpu_bound")])
    assert d.get("/a?b=c", Host="shop.example").status == 200
    assert d.get("/cpu?ms=40").status == 200
    assert d.get("/a").status == 200
    first, cpu, _ = log.records(3)
    assert first["request"] == "GET /a?b=c HTTP/1.1"
    assert (first["status"], first["bytes"]) == (200, 4)
    assert (first["host"], first["route"]) == ("shop.example", "/")
    assert (first["end"], first["worker"]) == ("done", 1)
    # No service is asked.
    assert (first["tries"], first["bytes_in"]) == (0, 0)
    for name in ("service", "upstream", "breaker", "queue", "connect",
                 "first"):
        assert first[name] is None
    assert cpu["route"] == "/cpu" and cpu["total"] >= 0.04


def test_what_is_no_request(log):
    d = log.start(routes=[respond("/x", "ok")])
    with Raw(d.port) as client:
        client.send("nonsense\r\n\r\n")
        client.rest()
    with Raw(d.port) as client:
        client.send("GET /no HTTP/1.0\r\n\r\n")
        client.rest()
    # After a good request on the same connection, with facts of its own.
    with Raw(d.port) as client:
        client.send(GET.format("/x"))
        client.response()
        client.send("GET /x HTTP/1.1\r\n\r\n")
        client.rest()
    bad, no_route, _, no_host = log.records(4)
    for r in (bad, no_host):
        assert r["status"] == 400
        for name in ("host", "route", "total"):
            assert r[name] is None
        # The client has the id, and may ask about it.
        assert re.fullmatch("[0-9a-f]{32}", r["id"])
    assert bad["request"] == "nonsense"
    assert bad["reason"] == "malformed HTTP start line: byte 0x0d at 8"
    assert no_host["request"] == "GET /x HTTP/1.1"
    assert no_host["reason"] == "exactly one valid Host is required"
    assert no_route["reason"] is None
    assert no_route["request"] == "GET /no HTTP/1.0"
    assert no_route["status"] == 404
    assert no_route["host"] is None and no_route["route"] is None


def test_the_bytes_of_a_head(log):
    """Without the body, of each request on a connection, and as far as read of a
    refused head."""
    d = log.start(routes=[respond("/", "ok")])
    heads = [GET.format("/a"),
             "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n"]
    with Raw(d.port) as client:
        client.send(heads[0] * 2)
        client.response()
        client.response()
        client.send("nonsense\r\n\r\n")
        client.rest()
    log.records(3)
    with Raw(d.port) as client:
        client.send(heads[1] + "123456789")
        client.response()
    records = log.records(4)
    assert [r["head_in"] for r in records[:2]] == [len(heads[0])] * 2
    assert 0 <= records[2]["head_in"] <= len("nonsense\r\n\r\n")
    assert records[3]["head_in"] == len(heads[1])


def test_what_was_read_of_a_refused_request(log):
    """Escaped, in one line, and bounded."""
    d = log.start(routes=[respond("/", "ok")],
                  client={"headers": "2k", "target": "1k", "body": "5"})
    cases = [
        ("GET /" + "x" * 1100, 414, "client.target: 1024 bytes"),
        ("GET /long HTTP/1.1\r\nHost: a\r\nX: " + "x" * 3000, 431,
         "client.headers: 2048 bytes"),
        ("GET /\x1b[31m\"\r\n\r\n", 400, "invalid request target"),
        ("\x16\x03\x00\x01", 400, "byte 0x16 at 0"),
        ("POST /six HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\n", 413,
         "client.body: 5 bytes"),
    ]
    for text, _, _ in cases:
        with Raw(d.port) as client:
            client.send(text)
            client.rest()
    records = log.records(len(cases))
    for r, (_, status, words) in zip(records, cases):
        assert (r["status"], r["end"]) == (status, "bad_request")
        assert words in r["reason"]
    lines = [r["request"] for r in records]
    assert lines[0].startswith("GET /xxx") and len(lines[0]) <= 1024
    assert lines[1] == "GET /long HTTP/1.1"
    json_form = log.form == "json"
    assert lines[2] == ('GET /\x1b[31m"' if json_form
                        else "GET /\\x1b[31m\\x22")
    assert lines[3] == ("\x16\x03" if json_form else "\\x16\\x03")
    assert lines[4] == "POST /six HTTP/1.1"


def test_a_client_that_leaves(log, backend):
    """Before the response, and in the middle of it."""
    def handle(connection):
        connection.read_request()
        connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n12")
        connection.read_request()

    d = log.start(routes=[respond("/late", "ok", delay="60s"),
                          route("/half", "b")],
                  services=[service("b", backend(handle).address)])
    with Raw(d.port) as client:
        # Of an earlier response, not of this one.
        client.send(GET.format("/none"))
        client.response()
        d.wait_in_flight(0)
        client.send(GET.format("/late"))
        d.wait_in_flight(1)
        client.reset()
    _, gone = log.records(2)
    assert (gone["status"], gone["bytes"]) == (499, 0)
    assert gone["request"] == "GET /late HTTP/1.1"
    assert gone["end"] in GONE
    assert gone["total"] > 0
    with Raw(d.port) as client:
        client.send(GET.format("/half"))
        assert client.file.readline() == b"HTTP/1.1 200 OK\r\n"
        client.reset()
    *_, cut = log.records(3)
    assert (cut["status"], cut["bytes"]) == (200, 2)
    assert cut["end"] in GONE
    assert d.total("client_aborts") == 2


def test_an_answer_cut_short(log, backend):
    def handle(connection):
        connection.read_request()
        connection.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12")

    d = log.start(routes=[route("/", "b")],
                  services=[service("b", backend(handle).address)])
    with Raw(d.port) as client:
        client.send(GET.format("/"))
        assert client.rest().endswith(b"12")
    cut, = log.records(1)
    assert (cut["status"], cut["bytes"]) == (200, 2)
    assert cut["end"] not in (None, "done")


def test_a_proxied_request(log, backend):
    b = backend()
    d = log.start(routes=[route("/api", "users")],
                  services=[service("users", b.address, breaker=BREAKER)])
    with d.client() as c:
        answer = c.request("POST", "/api/x", body=b"12345",
                           headers={"X-Request-Id": "my-id.1"})
        again = c.get("/api/y")
    assert answer.status == again.status == 200
    first, second = log.records(2)
    assert first["request"] == "POST /api/x HTTP/1.1"
    assert (first["route"], first["service"]) == ("/api", "users")
    assert first["upstream"] == b.address
    assert (first["tries"], first["breaker"]) == (1, "closed")
    assert (first["bytes_in"], first["bytes"]) == (5, len(answer.body))
    assert (first["id"], first["end"]) == ("my-id.1", "done")
    for r in (first, second):
        for name in ("queue", "connect", "first"):
            assert 0 <= r[name] <= r["total"]
        # Each time counts from the step before.
        assert r["queue"] + r["connect"] + r["first"] <= r["total"]
    assert re.fullmatch("[0-9a-f]{32}", second["id"])
    # The connection was reused.
    assert second["connect"] == 0


def let_time_pass(d):
    """Until the master has answered some requests: the seconds taken, of which
    the log may leave out a part of a millisecond."""
    begun = time.monotonic()
    for _ in range(20):
        d.cluster()
    return time.monotonic() - begun - 0.001


def test_where_the_time_goes(log, backend):
    """In the queue, and until the first byte."""
    inside, gate = threading.Event(), threading.Event()

    def handle(connection):
        while connection.read_request() is not None:
            inside.set()
            gate.wait(10)
            connection.reply()

    d = log.start(routes=[route("/", "b")], services=[
        service("b", backend(handle).address, pool={"connections": 1})])
    with Raw(d.port) as one, Raw(d.port) as other:
        one.send(GET.format("/one"))
        assert inside.wait(10)
        other.send(GET.format("/other"))
        d.wait_in_flight(2)
        passed = let_time_pass(d)
        gate.set()
        assert one.response().status == other.response().status == 200
    first, second = log.records(2)
    assert first["request"] == "GET /one HTTP/1.1"
    assert first["first"] >= passed > 0
    assert second["queue"] >= passed


def test_time_lost_on_a_try_is_not_the_queues(log, backend):
    passed = []

    def hang(connection):
        connection.read_request()
        passed.append(let_time_pass(d))
        connection.reset()

    d = log.start(routes=[route("/", "b")], workers=1, services=[
        service("b", backend(hang).address, backend().address, eject={
            "failures": 0})])
    for _ in range(2):
        assert d.get("/").status == 200
    again = [r for r in log.records(2) if r["tries"] == 2]
    assert len(again) == 1
    assert again[0]["total"] >= passed[0] > 0
    assert again[0]["queue"] < again[0]["total"] / 2


def test_a_wait_in_vain(log, backend):
    """In the queue until its end; and a connect that fails at once is a try."""
    inside = threading.Event()

    def handle(connection):
        connection.read_request()
        inside.set()
        connection.read_request()

    d = log.start(
        routes=[route("/", "b"), route("/none", "n")],
        services=[service("b", backend(handle).address,
                          pool={"connections": 1, "queue_timeout": "50ms"}),
                  service("n", f"unix:{log.place}/none")])
    with Raw(d.port) as c:
        c.send(GET.format("/"))
        assert inside.wait(10)
        assert d.get("/").status == 503
        assert d.get("/none").status == 502
        c.reset()
    waited, none = [r for r in log.records(3) if r["status"] > 500]
    assert (waited["end"], waited["tries"]) == ("queue_timeout", 0)
    assert waited["queue"] >= 0.05
    assert (none["end"], none["tries"]) == ("connect_failed", 1)
    assert none["upstream"] == f"unix:{log.place}/none"


def test_tries(log, backend):
    """A refusing endpoint and an answering one: the log has the last."""
    b = backend()
    nobody = f"127.0.0.1:{free_port()}"
    d = log.start(routes=[route("/", "b"), route("/none", "none")],
                  services=[service("b", nobody, b.address, retries=1),
                            service("none", nobody)])
    # Round robin: one request of two begins with the refusing endpoint.
    for _ in range(2):
        assert d.get("/").status == 200
    assert d.get("/none").status == 502
    *both, failed = log.records(3)
    assert sorted(r["tries"] for r in both) == [1, 2]
    assert [r["upstream"] for r in both] == [b.address] * 2
    assert (failed["status"], failed["tries"]) == (502, 1)
    assert failed["upstream"] == nobody
    assert failed["first"] is None


def test_an_open_circuit(log):
    d = log.start(routes=[route("/", "b")], services=[
        service("b", f"127.0.0.1:{free_port()}", breaker=BREAKER)])
    answers = [d.get("/").status for _ in range(5)]
    assert answers == [502] * 3 + [503] * 2
    records = log.records(5)
    assert [r["breaker"] for r in records] == ["closed"] * 3 + ["open"] * 2
    rejected = records[-1]
    assert (rejected["tries"], rejected["service"]) == (0, "b")
    for name in ("upstream", "queue", "connect", "first"):
        assert rejected[name] is None


def test_what_a_client_sends(log):
    """Quotes and a line's end are no way out, and a long line has an end."""
    d = log.start(routes=[respond("/", "ok")])
    assert d.get('/"a\\').status == 200
    assert d.get("/" + "x" * 4000).status == 200
    assert d.get("/").status == 200
    escaped, long, _ = log.records(3)
    assert escaped["request"] == ('GET /"a\\ HTTP/1.1' if log.form == "json"
                                  else r"GET /\x22a\x5c HTTP/1.1")
    assert re.fullmatch(r"GET /x{500,}\.\.\. HTTP/1\.1", long["request"])


FIELDS = ["User-Agent", "Referer", "X-Long", "response:X-Cache",
          "response:Server"]
FIELD_NAMES = [name.lower() for name in FIELDS]


def fields_of(log, line):
    """The fields at the line's end, by name."""
    if log.form == "json":
        fields = json.loads(line)["fields"]
    else:
        end = " ".join(f"{name}={VALUE}" for name in FIELD_NAMES)
        match = re.search(r" worker=\d+ " + end + "$", line)
        assert match, line
        fields = dict(zip(FIELD_NAMES, [None if value == "-"
                                        else value.strip('"')
                                        for value in match.groups()]))
    assert list(fields) == FIELD_NAMES
    return [fields[name] for name in FIELD_NAMES]


def test_fields(log, backend):
    """Of the request and of the service's response, of these alone."""
    def handle(connection):
        while connection.read_request() is not None:
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n"
                            "X-CACHE: HIT\r\nX-Cache: second\r\n\r\n")

    d = log.drover(
        workers=1, routes=[route("/api", "b"), respond("/", "ok")],
        services=[service("b", backend(handle).address)],
        log={"access": log.path, "format": log.form, "fields": FIELDS})
    with Raw(d.port) as c:
        # The head does not wait for the response: the body follows.
        c.send("POST /api HTTP/1.1\r\nHost: a\r\nuser-agent: Moz \"5\"\r\n"
               "Content-Length: 100000\r\nREFERER: http://a/\r\n"
               f"X-Long: {'y' * 300}\r\n\r\n")
        d.wait_in_flight(1)
        c.send("x" * 100000)
        assert c.response().status == 200
        c.send("GET / HTTP/1.1\r\nHost: a\r\nX-Cache: mine\r\n\r\n")
        assert c.response().status == 200
        c.send("GET /\x01\r\n\r\n")
        c.rest()
    wait_for(lambda: len(log.lines()) == 3, "3 lines")
    agent, referer, long, cache, server = fields_of(log, log.lines()[0])
    assert agent == ('Moz "5"' if log.form == "json" else r"Moz \x225\x22")
    assert (referer, cache, server) == ("http://a/", "HIT", None)
    assert long == "y" * 252 + "..."
    for line in log.lines()[1:]:
        assert fields_of(log, line) == [None] * len(FIELDS)


def test_which_worker(log):
    d = log.start(routes=[handler("/", "metrics")], workers=2)
    answers = [a["worker"] for a in d.get_from_all("/", 40)]
    assert set(answers) == {1, 2}
    assert (sorted(r["worker"] for r in log.records(len(answers))) ==
            sorted(answers))


def test_to_standard_output(drover):
    d = drover(routes=[respond("/", "ok")],
               log={"access": "stdout", "format": "json"})
    assert d.get("/x").status == 200
    d.wait_log(r'^\{"client":"127\.0\.0\.1",.*"request":"GET /x HTTP/1\.1",')


class Piped(Process):
    """A gateway whose standard output is a pipe that is read at the test's
    word."""

    def __init__(self, place, **config):
        self.port = free_port()
        path = os.path.join(place, "piped.yaml")
        with open(path, "w", encoding="utf-8") as f:
            json.dump({"workers": 1, "state_dir": os.path.join(place, "piped"),
                       "listen": [{"address": f"127.0.0.1:{self.port}"}],
                       "log": {"access": "stdout"}, **config}, f)
        self.log_path = os.path.join(place, "piped.log")
        with open(self.log_path, "ab") as log:
            self.popen = subprocess.Popen(
                [DROVER, "-c", path], stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=log, start_new_session=True)
        self.pid = self.popen.pid
        os.set_blocking(self.popen.stdout.fileno(), False)

    def read(self):
        """The bytes present now."""
        return self.popen.stdout.read() or b""

    def stop(self):
        self.signal(signal.SIGTERM)
        try:
            assert self.wait_exit() == 0
            assert not SANITIZER.search(self.log())
        finally:
            self.kill()
            self.popen.stdout.close()


@pytest.fixture(name="piped")
def fixture_piped(place):
    d = Piped(place, routes=[respond("/", "ok")])
    yield d
    d.stop()


def test_a_reader_that_stopped(piped):
    """Every request is answered. A late reader finds whole lines, and the log
    reports once how many are missing."""
    d = piped
    d.wait_log("ready: ")
    with Raw(d.port) as client:
        # Lines of over 200 bytes: more than pipe and buffer take.
        for _ in range(40):
            client.send(GET.format("/") * 100)
            for _ in range(100):
                assert client.response().status == 200
    d.wait_log("access log: lines are being lost: nobody read them")
    assert "lines lost" not in d.log()
    data = bytearray()

    def read_until(text):
        data.extend(d.read())
        return text in d.log() or text.encode() in data

    wait_for(lambda: read_until("lines lost"), "it says what is lost")
    with Raw(d.port) as client:
        client.send(GET.format("/last"))
        assert client.response().status == 200
    wait_for(lambda: read_until("/last"), "the last line")
    lines = data.decode("ascii").splitlines()
    assert all(from_text(line) for line in lines)
    lost = re.findall(r"access log: (\d+) lines lost: nobody", d.log())
    assert len(lost) == 1 and len(lines) + int(lost[0]) == 4001


def test_a_full_disk(drover):
    """The log says so at once, and the metrics count."""
    d = drover(routes=[respond("/", "ok")], log={"access": "/dev/full"},
               workers=1)
    with Raw(d.port) as client:
        for _ in range(10):
            client.send(GET.format("/") * 100)
            for _ in range(100):
                assert client.response().status == 200
    d.wait_log("access log: lines are being lost: No space left on device")
    lost = samples.read(d).get("drover_access_log_lost_total", worker="1")
    assert 0 < lost < 1000
    d.stop()
    # All is counted at the end, in one further line.
    ends = re.findall(r"access log: (\d+) lines lost: No space", d.log())
    assert len(ends) == 1 and int(ends[0]) == 1000
    assert d.count_log("lines are being lost") == 1


@pytest.mark.parametrize("access", ["/nonexistent/dir/a.log", "/tmp"])
def test_one_that_can_not_be_written(drover, access):
    d = drover(routes=[respond("/", "ok")], log={"access": access},
               ready=False)
    assert d.wait_exit() == 78
    assert re.search(rf"drover\.yaml:\d+: log\.access: can't write {access}: ",
                     d.log())
    assert "started" not in d.log()
    d.is_over = True
