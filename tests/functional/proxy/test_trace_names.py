"""Goal: a request has the same names everywhere: the client's X-Request-Id and
traceparent when valid, else new ones; and the access log has the id."""

import json
import os
import re

import pytest

from harness import free_port, respond, route, service, wait_for
from wire import GET, gateway

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE}-00f067aa0ba902b7-01"
STATE = "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"
NEW_ID = re.compile("[0-9a-f]{32}")
NEW_PARENT = re.compile("00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-01")


class Seen:
    """The backend's view of a request."""

    def __init__(self, pairs):
        self.pairs = pairs

    def all(self, name):
        return [value for key, value in self.pairs if key == name]

    def one(self, name):
        values = self.all(name)
        assert len(values) == 1, f"{name}: {values}"
        return values[0]


def start(drover, *endpoints, **more):
    return drover(services=[service("b", *endpoints)], routes=[route("/", "b")],
                  workers=1, **more)


def ask(d, *lines):
    """The header lines unchanged, repeated or not."""
    with d.raw() as c:
        c.send("\r\n".join(["GET / HTTP/1.1", "Host: a", *lines, "", ""])
               .encode("latin-1"))
        answer = c.response()
    assert answer.status == 200, answer
    return Seen(answer.json()["headers"])


def test_made_when_there_are_none(drover, backend):
    d = start(drover, backend().address)
    seen = [ask(d) for _ in range(20)]
    ids = {s.one("x-request-id") for s in seen}
    parents = {s.one("traceparent") for s in seen}
    traces = {parent[3:35] for parent in parents}
    assert all(NEW_ID.fullmatch(i) for i in ids)
    assert all(NEW_PARENT.fullmatch(p) for p in parents)
    assert len(ids) == len(parents) == len(traces) == 20
    assert not any(s.all("tracestate") for s in seen)


def test_workers_make_different_ones(drover, backend):
    """No worker repeats the random numbers of its master or predecessor."""
    d = drover(services=[service("b", backend().address)],
               routes=[route("/", "b")], workers=4)
    seen = [ask(d) for _ in range(40)]
    d.kill_worker(0)
    seen += [ask(d) for _ in range(40)]
    assert len({s.one("x-request-id") for s in seen}) == 80
    assert len({s.one("traceparent") for s in seen}) == 80


def test_passed_on(drover, backend):
    d = start(drover, backend().address)
    seen = ask(d, "X-Request-ID: f47ac10b-58cc", f"TraceParent: {PARENT}",
               f"tracestate: {STATE}", "tracestate: more=1")
    assert seen.one("x-request-id") == "f47ac10b-58cc"
    assert seen.one("traceparent") == PARENT
    assert seen.all("tracestate") == [STATE, "more=1"]


def test_one_does_not_need_the_other(drover, backend):
    d = start(drover, backend().address)
    seen = ask(d, "X-Request-Id: a")
    assert seen.one("x-request-id") == "a"
    assert NEW_PARENT.fullmatch(seen.one("traceparent"))
    seen = ask(d, f"traceparent: {PARENT}")
    assert NEW_ID.fullmatch(seen.one("x-request-id"))
    assert seen.one("traceparent") == PARENT


@pytest.mark.parametrize("parent", [
    f"01-{TRACE}-00f067aa0ba902b7-01",
    f"cc-{TRACE}-00f067aa0ba902b7-00",
    f"cc-{TRACE}-00f067aa0ba902b7-01-what-the-future-will-be-like"])
def test_later_versions(drover, backend, parent):
    """Passed on untouched, with the fields that belong to the trace."""
    d = start(drover, backend().address)
    seen = ask(d, f"traceparent: {parent}", f"tracestate: {STATE}")
    assert seen.one("traceparent") == parent
    assert seen.one("tracestate") == STATE


def test_invalid_ids(drover, backend):
    d = start(drover, backend().address)
    for lines in (["X-Request-Id:"], ["X-Request-Id: a b"],
                  ['X-Request-Id: a"b'], ["X-Request-Id: a\\b"],
                  ["X-Request-Id: a,b"], ["X-Request-Id: a;b"],
                  ["X-Request-Id: caf\xe9"], ["X-Request-Id: " + "a" * 129],
                  ["X-Request-Id: a", "X-Request-Id: b"],
                  ["X-Request-Id: a", "x-request-id: a"]):
        assert NEW_ID.fullmatch(ask(d, *lines).one("x-request-id")), lines
    longest = "a" * 128
    assert ask(d, f"X-Request-Id: {longest}").one("x-request-id") == longest


def test_names_that_are_for_one_hop(drover, backend):
    """A field named by Connection goes no further (RFC 9110 section 7.6.1)."""
    d = start(drover, backend().address)
    seen = ask(d, "X-Request-Id: mine", f"traceparent: {PARENT}",
               f"tracestate: {STATE}",
               "Connection: x-request-id, Traceparent")
    assert NEW_ID.fullmatch(seen.one("x-request-id"))
    assert NEW_PARENT.fullmatch(seen.one("traceparent"))
    assert TRACE not in seen.one("traceparent")
    assert seen.all("tracestate") == []


def test_invalid_parents(drover, backend):
    d = start(drover, backend().address)
    for parents in ([""], [PARENT.upper()], [PARENT + "-more"], [PARENT[:-1]],
                    ["ff" + PARENT[2:]], [PARENT.replace(TRACE, "0" * 32)],
                    [PARENT.replace("00f067aa0ba902b7", "0" * 16)],
                    [PARENT, PARENT], [f"{PARENT},{PARENT}"]):
        seen = ask(d, *[f"traceparent: {p}" for p in parents],
                   f"tracestate: {STATE}", "tracestate: more=1")
        assert NEW_PARENT.fullmatch(seen.one("traceparent")), parents
        assert TRACE not in seen.one("traceparent")
        # tracestate belongs to the old trace, which has ended.
        assert seen.all("tracestate") == []


def test_state_without_parent(drover, backend):
    d = start(drover, backend().address)
    seen = ask(d, f"tracestate: {STATE}")
    assert NEW_PARENT.fullmatch(seen.one("traceparent"))
    assert seen.all("tracestate") == []


def test_the_same_on_another_try(drover, backend):
    """A request keeps its names over all tries."""
    seen = []

    def handle(connection):
        request = connection.read_request()
        if request is None:
            return
        seen.append(Seen(request.pairs))
        if len(seen) == 1:
            connection.reset()
        else:
            connection.reply()

    d = start(drover, backend(handle).address, backend(handle).address)
    assert d.get("/").status == 200
    assert len(seen) == 2
    for name in ("x-request-id", "traceparent"):
        assert seen[0].one(name) == seen[1].one(name)


def test_the_log_has_the_id(drover, backend, place):
    path = os.path.join(place, "access.log")
    d = drover(services=[service("b", backend().address),
                         service("none", f"127.0.0.1:{free_port()}")],
               routes=[route("/", "b"), route("/none", "none")],
               log={"access": path, "format": "json"}, workers=1)
    made = ask(d).one("x-request-id")
    ask(d, "X-Request-Id: mine")
    ask(d, "X-Request-Id: not mine")
    assert d.get("/none", **{"X-Request-Id": "failed"}).status == 502

    def ids():
        with open(path, encoding="utf-8") as f:
            return [json.loads(line)["id"] for line in f]

    wait_for(lambda: len(ids()) == 4, "all lines are there")
    first, mine, other, failed = ids()
    assert (first, mine, failed) == (made, "mine", "failed")
    assert NEW_ID.fullmatch(other) and other != made


def test_the_log_has_the_id_of_what_is_answered_here(drover, place):
    path = os.path.join(place, "access.log")
    d = drover(routes=[{**respond("/own", 1), "methods": ["GET"]}], workers=1,
               log={"access": path, "format": "json"})
    for method, target, status in (("GET", "/own", 200), ("PUT", "/own", 405),
                                   ("GET", "/none", 404)):
        answer = d.request(method, target, headers={"X-Request-Id": target})
        assert answer.status == status
    assert d.request("OPTIONS", "/own", headers={
        "X-Request-Id": "last", "Max-Forwards": "0"}).status == 200
    assert d.get("/own").status == 200

    def ids():
        with open(path, encoding="utf-8") as f:
            return [json.loads(line)["id"] for line in f]

    wait_for(lambda: len(ids()) == 5, "all lines are there")
    *given, made = ids()
    assert given == ["/own", "/own", "/none", "last"]
    assert NEW_ID.fullmatch(made)


# ---- towards the client ----


def names(answer):
    return [v for n, v in answer.pairs if n == "x-request-id"]


@pytest.mark.parametrize("theirs", ["", "X-Request-Id: other\r\n",
                                    "x-request-id: a\r\nX-Request-ID: b\r\n"])
def test_the_response_has_the_id(theirs):
    """Once, whatever the service says."""
    with gateway() as d:
        d.recorder.replies(f"HTTP/1.1 200 OK\r\n{theirs}"
                           "Content-Length: 2\r\n\r\nok")
        with d.raw() as c:
            for sent in ("", "X-Request-Id: mine-7\r\n"):
                c.send(GET + sent + "\r\n")
                got = names(c.response())
                assert got == d.recorder.seen[-1].values("x-request-id")
                assert len(got) == 1
            assert got == ["mine-7"]


def test_a_switch_of_protocols_has_the_id():
    with gateway() as d:
        d.recorder.replies_and_closes(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
            "Upgrade: foo\r\n\r\n")
        with d.raw() as c:
            c.send(GET + "Connection: Upgrade\r\nUpgrade: foo\r\n"
                   "X-Request-Id: mine\r\n\r\n")
            answer = c.response()
            assert answer.status == 101 and names(answer) == ["mine"]


def test_own_answers_have_the_id(place):
    """Also the refusal of bytes that never became a request."""
    log = os.path.join(place, "access.log")
    routes = [respond("/own", 1), respond("/fails", 1, fail_percent=100),
              route("/away", "b")]
    with gateway(routes=routes, log={"access": log, "format": "json"}) as d:
        d.recorder.stop()
        ids = []
        for data, status in (("GET /own", 200), ("GET /fails", 503),
                             ("GET /away", 502), ("GET /none", 404),
                             ("GET /#", 400), ("BREW /", 501)):
            with d.raw() as c:
                c.send(f"{data} HTTP/1.1\r\nHost: a\r\n\r\n")
                answer = c.response()
            assert answer.status == status, answer
            assert len(names(answer)) == 1
            ids += names(answer)
            if status != 200:
                assert answer.json()["requestId"] == ids[-1]
                assert answer.headers["cache-control"] == "no-store"
        assert len(set(ids)) == 6 and all(NEW_ID.fullmatch(i) for i in ids)

        def logged():
            with open(log, encoding="utf-8") as f:
                return [json.loads(line)["id"] for line in f]

        wait_for(lambda: logged() == ids, "the log has the same ids")


@pytest.mark.parametrize("body, status", [
    (b"zz\r\n", 400), (b"2\r\nab\r\nzz\r\n", 400), (b"0\r\na b\r\n\r\n", 400),
    (b"7d0\r\n" + b"x" * 2000 + b"\r\n0\r\n\r\n", 413)])
def test_a_body_that_is_refused_together_with_its_head(
        drover, backend, place, body, status):
    d = start(drover, backend().address, client={"body": "1k"},
              log={"access": f"{place}/access", "format": "json"})
    with d.raw() as c:
        c.send(b"POST /up HTTP/1.1\r\nHost: a\r\nX-Request-Id: mine\r\n"
               b"Transfer-Encoding: chunked\r\n\r\n" + body)
        answer = c.response()
    assert answer.status == status
    assert answer.headers["x-request-id"] == "mine"
    assert answer.json()["requestId"] == "mine"
    lines = wait_for(lambda: open(f"{place}/access").read().splitlines(),
                     "the line is written")
    line = json.loads(lines[0])
    assert (line["request"], line["id"]) == ("POST /up HTTP/1.1", "mine")
