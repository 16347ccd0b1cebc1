"""Goal: what a path may hold is a setting; a route's own path has the same
form as a request's."""

import json

import pytest

from harness import respond, route, service, wait_for


def echo(connection):
    while (request := connection.read_request()) is not None:
        connection.reply(json.dumps({"target": request.target}))


@pytest.fixture
def gateway(drover, backend):
    def start(**path):
        return drover(services=[service("s", backend(echo).address)],
                      client={"path": path}, routes=[
                          route("/app", "s", rewrite="/inner"),
                          route("/", "s")])
    return start


def ask(d, target):
    with d.raw() as c:
        c.send(f"GET {target} HTTP/1.1\r\nHost: a\r\n\r\n")
        return c.response()


def sent(d, target):
    answer = ask(d, target)
    assert answer.status == 200, (target, answer)
    return answer.json()["target"]


def error(d, target):
    answer = ask(d, target)
    assert answer.status == 400, (target, answer)
    return answer.json()["error"]


def test_refused_instead(gateway):
    d = gateway(dot_segments="refuse", empty_segments="refuse",
                escapes="refuse", encoded_slash="refuse", backslash="refuse")
    for target, key in (
            ("/a/../b", "dot_segments"), ("/.", "dot_segments"),
            ("/a//b", "empty_segments"), ("/%61", "escapes"),
            ("/x/%2e%2e/admin", "escapes"), ("/a%2fb", "encoded_slash"),
            ("/a%2Fb", "encoded_slash"), ("/a\\b", "backslash"),
            ("/a%5Cb", "backslash")):
        assert f"client.path.{key}" in error(d, target), target
    assert sent(d, "/a/b.c/%20?//..\\%2F") == "/a/b.c/%20?//..\\%2F"


def test_empty_segments_kept(gateway):
    d = gateway(empty_segments="keep")
    assert sent(d, "/a//b//") == "/a//b//"
    assert sent(d, "/app//b") == "/inner//b"


def test_a_route_is_normalised_too(drover):
    d = drover(routes=[respond("/a//%62/../c", "c"), respond("/%c3%a9", "e")])
    assert d.get("/a/c").json() == "c"
    assert d.get("/%c3%A9").json() == "e"
    wait_for(lambda: d.count_log(r"is taken as `/a/c`"), "the warning")
