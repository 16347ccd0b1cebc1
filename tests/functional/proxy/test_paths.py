"""Goal: one spelling of a path is matched, logged and forwarded, so no other
spelling passes by a route; a query is forwarded as sent."""

import json

import pytest

from harness import handler, respond, route, service, wait_for


def echo(connection):
    while (request := connection.read_request()) is not None:
        connection.reply(json.dumps({"target": request.target}))


@pytest.fixture
def gateway(drover, backend):
    return drover(services=[service("s", backend(echo).address)], routes=[
        respond("/admin", 1, status=403),
        route("/app", "s", rewrite="/inner"),
        route("/dir/", "s", rewrite="/"),
        handler("/count", "count"),
        route("/", "s")])


def ask(d, target, method="GET", more=""):
    with d.raw() as c:
        c.send(f"{method} {target} HTTP/1.1\r\nHost: a\r\n{more}\r\n")
        return c.response()


def sent(d, target):
    """The target that the service got, or the status of our own answer."""
    answer = ask(d, target)
    return answer.json()["target"] if answer.status == 200 else answer.status


def error(d, target):
    answer = ask(d, target)
    assert answer.status == 400, (target, answer)
    assert answer.json()["status"] == 400
    return answer.json()["error"]


# Each is /admin, or below.
ADMIN = ["/admin", "/admin/", "/admin/x", "/x/../admin", "/./admin", "//admin",
         "///admin", "/admin//", "/.//admin", "/%61dmin", "/%61%64%6D%69%6e",
         "/x/%2e%2e/admin", "/x/%2E./admin", "/x/.%2e/admin", "/%2e/admin",
         "/x/y/../../admin", "/x//../admin", "/app/../admin",
         "/app/x/../../admin/", "/admin/x/..", "/admin/.", "/x/../admin?q=1",
         "/./admin?../x", "http://a/x/../admin", "http://a//admin",
         "http://a/./%61dmin?x"]


def test_no_way_round_a_route(gateway):
    for target in ADMIN:
        assert ask(gateway, target).status == 403, target
        answer = ask(gateway, target, "POST", "Content-Length: 0\r\n")
        assert answer.status == 403, target
    assert ask(gateway, "/x/../admin", more="Connection: upgrade\r\n"
               "Upgrade: websocket\r\n").status == 403


def test_what_is_matched_is_forwarded(gateway):
    for target, want in (
            ("/a", "/a"), ("/a/../b", "/b"), ("/a/./b/.", "/a/b/"),
            ("/a/b/..", "/a/"), ("/a//b", "/a/b"), ("/%7e%41", "/~A"),
            ("/caf%c3%a9", "/caf%C3%A9"), ("/%2561dmin", "/%2561dmin"),
            ("/a%2fb", "/a%2Fb"), ("/x%2f..%2fadmin", "/x%2F..%2Fadmin"),
            ("/a%5cb", "/a%5Cb"), ("/a\\b", "/a\\b"), ("/..;/a", "/..;/a"),
            ("/app", "/inner"), ("/app/../secret", "/secret"),
            ("/app/x/../y", "/inner/y"), ("/app/%2e%2e/app/z", "/inner/z"),
            ("/app//z?//../%41", "/inner/z?//../%41"), ("/dir/..", "/"),
            ("/dir/x/../..", "/"), ("/dir//x", "/x"), ("/dir/.", "/"),
            ("/%61pp/..?x", "/?x"), ("http://a/x/../y?z", "/y?z")):
        assert sent(gateway, target) == want, target


def test_above_the_root(gateway):
    for target in ("/..", "/../", "/../admin", "/a/../../admin", "/%2e%2e/a",
                   "/app/../../admin", "/./../a", "http://a/../b", "//.."):
        assert "above the root" in error(gateway, target), target


def test_percent(gateway):
    for target in ("/search?q=100%", "/search?q=20%+tax", "/s?q=%zz&r=1",
                   "/?%", "/?%%", "/?%4", "/a?b=%2e%2e%2F%61", "/app?%"):
        want = target.replace("/app", "/inner")
        assert sent(gateway, target) == want, target
    for target in ("/100%", "/%zz", "/%4", "/%", "/%4/1", "/a%?b", "/%%41",
                   "http://a/%"):
        assert "%" in error(gateway, target), target
    assert "%00" in error(gateway, "/a%00b")
    # Our own handlers read the query, and name what they do not know.
    for query in ("state=memory&x=100%", "%", "100%=1"):
        assert "unknown parameter" in error(gateway, f"/count?{query}")


def test_pipelined_requests_keep_their_paths(gateway):
    with gateway.raw() as c:
        c.send("".join(f"GET /x/../{i}//a?{i} HTTP/1.1\r\nHost: a\r\n\r\n"
                       for i in range(20)))
        for i in range(20):
            assert c.response().json()["target"] == f"/{i}/a?{i}"


def test_a_long_path(gateway):
    target = "/a/.." * 1500 + "/end?" + "q" * 600
    assert sent(gateway, target) == "/end?" + "q" * 600


def test_a_target_in_pieces(gateway):
    text = "GET /x/%2e%2e//admin?a HTTP/1.1\r\nHost: a\r\n\r\n"
    for at in range(1, text.index(" HTTP")):
        with gateway.raw() as c:
            c.send(text[:at])
            c.send(text[at:])
            assert c.response().status == 403, at


def test_the_server_as_a_whole(gateway):
    assert ask(gateway, "*", "OPTIONS").json()["target"] == "*"


def test_the_log_has_the_normal_path(drover, tmp_path):
    log = tmp_path / "access.log"
    d = drover(routes=[respond("/admin", 1)], log={"access": str(log)})
    assert ask(d, "/x/..//%61dmin?a=%").status == 200
    wait_for(lambda: log.exists() and log.read_text(), "a line")
    assert '"GET /admin?a=% HTTP/1.1" 200' in log.read_text()


def test_trace_shows_the_target_as_sent(gateway):
    answer = ask(gateway, "/x/..//%61dmin", "TRACE", "Max-Forwards: 0\r\n")
    assert answer.status == 200
    assert answer.body.startswith(b"TRACE /x/..//%61dmin HTTP/1.1\r\n")
