"""Goal: a backend is told who asked and for what, and sees nothing that was
meant for this hop only."""

from harness import route, service


def start(drover, backend, **more):
    return drover(services=[service("b", backend().address)],
                  routes=[route("/", "b"),
                          route("/api/users", "b", rewrite="/users")], **more)


def test_request_line_and_query(drover, backend):
    d = start(drover, backend)
    seen = d.get("/x/y?a=1&b=%20two").json()
    assert seen["method"] == "GET"
    assert seen["target"] == "/x/y?a=1&b=%20two"
    seen = d.request("DELETE", "/z").json()
    assert (seen["method"], seen["target"]) == ("DELETE", "/z")


def test_rewrite_replaces_the_prefix(drover, backend):
    d = start(drover, backend)
    for path, want in (("/api/users", "/users"), ("/api/users/7?x=1",
                       "/users/7?x=1"), ("/api/users?x", "/users?x"),
                       # Not on a segment's boundary: another route.
                       ("/api/userships", "/api/userships")):
        assert d.get(path).json()["target"] == want


def test_forwarding_headers(drover, backend):
    d = start(drover, backend)
    seen = dict(d.get("/", Host="shop.example:8080").json()["headers"])
    assert seen["host"] == "shop.example:8080"
    assert seen["x-real-ip"] == "127.0.0.1"
    assert seen["x-forwarded-for"] == "127.0.0.1"
    assert seen["x-forwarded-proto"] == "http"


def test_forwarded_for_grows(drover, backend):
    d = start(drover, backend)
    with d.raw() as c:
        c.send("GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 10.0.0.1\r\n"
               "X-Forwarded-For: 10.0.0.2\r\nX-Real-IP: 6.6.6.6\r\n"
               "X-Forwarded-Proto: gopher\r\n\r\n")
        pairs = c.response().json()["headers"]
    # One line each, and what the client claimed is not what we say.
    values = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    assert values["x-forwarded-for"] == ["10.0.0.1, 10.0.0.2, 127.0.0.1"]
    assert values["x-real-ip"] == ["127.0.0.1"]
    assert values["x-forwarded-proto"] == ["http"]


def test_hop_by_hop_requests(drover, backend):
    d = start(drover, backend)
    with d.raw() as c:
        c.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, X-Mine\r\n"
               "X-Mine: 1\r\nKeep-Alive: timeout=5\r\nTE: gzip\r\n"
               "Proxy-Connection: keep-alive\r\nUpgrade: h2c\r\n"
               "Trailer: X\r\nX-Kept: yes\r\n\r\n")
        seen = dict(c.response().json()["headers"])
    assert seen["x-kept"] == "yes"
    for name in ("x-mine", "keep-alive", "te", "proxy-connection", "upgrade",
                 "trailer", "connection"):
        assert name not in seen


def test_hop_by_hop_responses(drover, backend):
    def handle(connection):
        while connection.read_request() is not None:
            connection.reply("ok", headers=(
                "Connection: keep-alive, X-Mine\r\nX-Mine: 1\r\n"
                "Keep-Alive: timeout=5\r\nServer: other\r\nX-Kept: a\r\n"
                "X-Kept: b\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n"))

    b = backend(handle)
    d = drover(services=[service("b", b.address)], routes=[route("/", "b")])
    with d.raw() as c:
        c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        response = c.response()
    names = [name for name, _ in response.pairs]
    assert response.body == b"ok"
    assert "x-mine" not in names and "keep-alive" not in names
    assert [v for n, v in response.pairs if n == "x-kept"] == ["a", "b"]
    # The backend's own, once.
    assert names.count("date") == 1 and "1970" in response.headers["date"]
    assert names.count("server") == 1
    assert response.headers["server"] == "other"


def test_host_of_an_absolute_target(drover, backend):
    d = start(drover, backend)
    with d.raw() as c:
        c.send("GET http://real.example/p?q HTTP/1.1\r\nHost: other\r\n\r\n")
        seen = c.response().json()
    assert seen["target"] == "/p?q"
    assert dict(seen["headers"])["host"] == "real.example"
