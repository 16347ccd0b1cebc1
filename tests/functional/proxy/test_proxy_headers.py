"""Goal: a backend learns the client's address and the requested name."""

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
    d = start(drover, backend, client={"trusted_proxies": ["127.0.0.1"]})
    with d.raw() as c:
        c.send("GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 10.0.0.1\r\n"
               "X-Forwarded-For: 10.0.0.2\r\nX-Real-IP: 6.6.6.6\r\n"
               "X-Forwarded-Proto: gopher\r\n\r\n")
        pairs = c.response().json()["headers"]
    # One line each, since the peer is a trusted proxy.
    values = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    assert values["x-forwarded-for"] == ["10.0.0.1, 10.0.0.2, 127.0.0.1"]
    assert values["x-real-ip"] == ["10.0.0.2"]
    assert values["x-forwarded-proto"] == ["gopher"]
