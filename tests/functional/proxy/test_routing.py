"""Goal: a request reaches the service of the longest prefix whose conditions
on host, method, headers and query hold; else a shorter one's, a 405 with
Allow, or a 404."""

import json

import pytest

from harness import handler, respond, route, service, wait_for


def named(name):
    """Answers with its name and the request."""
    def handle(connection):
        while (request := connection.read_request()) is not None:
            connection.reply(json.dumps({"who": name,
                                         "method": request.method,
                                         "target": request.target}))
    return handle


@pytest.fixture
def gateway(drover, backend):
    """gateway(routes): the services are the backends named by the routes."""
    def start(routes):
        names = sorted({r["service"] for r in routes if "service" in r})
        return drover(routes=routes,
                      services=[service(n, backend(named(n)).address)
                                for n in names])
    return start


def who(d, path, method="GET", **headers):
    answer = d.request(method, path, headers=headers)
    assert answer.status == 200, answer
    return answer.json()["who"]


def test_path(gateway):
    d = gateway([route("/", "root"), route("/api", "api"),
                 route("/api/pay", "pay"), route("/files/", "files")])
    for path, name in (("/", "root"), ("/x", "root"), ("/apis", "root"),
                       ("/api", "api"), ("/api/", "api"),
                       ("/api/payments", "api"), ("/api?/api/pay", "api"),
                       ("/api/pay", "pay"), ("/api/pay/7?x=1", "pay"),
                       ("/files", "root"), ("/files/a", "files")):
        assert who(d, path) == name, path


def test_host(gateway):
    d = gateway([route("/", "any"),
                 route("/", "wild", host="*.example.org"),
                 route("/", "exact", host="API.example.org"),
                 route("/", "six", host="[::1]")])
    for host, name in (("api.example.org", "exact"),
                       ("Api.Example.ORG:8080", "exact"),
                       ("www.example.org", "wild"),
                       ("a.b.example.org:1", "wild"),
                       ("example.org", "any"), ("notexample.org", "any"),
                       ("[::1]:3000", "six"), ("[::2]", "any"),
                       ("127.0.0.1", "any")):
        assert who(d, "/", Host=host) == name, host


def test_host_of_the_target(gateway):
    """An absolute target's host goes before the Host line: RFC 9112, 3.2.2."""
    d = gateway([route("/", "any"), route("/", "a", host="a.org")])
    with d.raw() as c:
        c.send("GET http://A.org/x HTTP/1.1\r\nHost: b.org\r\n\r\n")
        assert c.response().json()["who"] == "a"
        c.send("GET http://b.org/x HTTP/1.1\r\nHost: a.org\r\n\r\n")
        assert c.response().json()["who"] == "any"


def test_method(gateway):
    d = gateway([route("/a", "read", methods=["GET"]),
                 route("/a", "write", methods=["POST", "PUT"])])
    assert who(d, "/a") == "read"
    assert who(d, "/a", "POST") == "write"
    assert who(d, "/a", "PUT") == "write"
    answer = d.request("HEAD", "/a")
    assert (answer.status, answer.body) == (200, b"")


def test_other_methods_are_405(gateway):
    d = gateway([route("/a", "read", methods=["GET"]),
                 route("/a/b", "write", methods=["POST", "PATCH"]),
                 route("/c", "any", headers=["X-Debug"])])
    with d.client() as c:
        answer = c.request("DELETE", "/a", body=b"x")
        assert answer.status == 405
        assert answer.headers["allow"] == "GET, HEAD"
        assert answer.headers["content-type"] == "application/json"
        assert answer.json() == {"error": "method not allowed here",
                                 "status": 405,
                                 "requestId": answer.headers["x-request-id"]}
        assert answer.headers["cache-control"] == "no-store"
    answer = d.request("OPTIONS", "/a/b")
    assert answer.status == 405
    # A shorter prefix does not take paths of a longer one.
    assert set(answer.headers["allow"].split(", ")) == {
        "GET", "HEAD", "POST", "PATCH"}
    # Not for want of a method.
    for path in ("/c", "/nowhere"):
        answer = d.request("DELETE", path)
        assert answer.status == 404
        assert "allow" not in answer.headers
    # Counted right behind the last byte.
    wait_for(lambda: d.total("responses_4xx") == 4, "four are counted")


def test_a_405_keeps_the_connection(gateway):
    d = gateway([route("/a", "read", methods=["GET"])])
    with d.raw() as c:
        c.send("OPTIONS /a HTTP/1.1\r\nHost: h\r\n\r\n"
               "GET /a HTTP/1.1\r\nHost: h\r\n\r\n")
        assert c.response().status == 405
        assert c.response().json()["who"] == "read"


def test_header(gateway):
    d = gateway([route("/", "any"),
                 route("/", "eth", headers=["Target-Service-Id: eth"]),
                 route("/", "btc", headers=["Target-Service-Id: btc"]),
                 route("/", "debug", headers=["X-Debug"]),
                 route("/", "both",
                       headers=["Target-Service-Id: eth", "X-Debug"])])
    assert who(d, "/") == "any"
    assert who(d, "/", **{"Target-Service-Id": "eth"}) == "eth"
    assert who(d, "/", **{"TARGET-SERVICE-ID": "btc"}) == "btc"
    assert who(d, "/", **{"Target-Service-Id": "ETH"}) == "any"
    assert who(d, "/", **{"Target-Service-Id": "doge"}) == "any"
    assert who(d, "/", **{"x-debug": ""}) == "debug"
    assert who(d, "/", **{"Target-Service-Id": "eth",
                          "X-Debug": "1"}) == "both"


def test_query(gateway):
    d = gateway([route("/", "any"),
                 route("/", "eth", query=["endpoint=eth"]),
                 route("/", "debug", query=["debug"]),
                 route("/", "both", query=["endpoint=eth", "debug"])])
    for path, name in (("/", "any"), ("/?endpoint=eth", "eth"),
                       ("/x/y?a=1&endpoint=eth", "eth"),
                       ("/?endpoint=ETH", "any"), ("/?endpoint=ethel", "any"),
                       ("/?myendpoint=eth", "any"), ("/endpoint=eth", "any"),
                       ("/?debug", "debug"), ("/?debug=0", "debug"),
                       ("/?debug=&endpoint=eth", "both")):
        assert who(d, path) == name, path
    # The matched parts are passed on unchanged.
    assert d.get("/p?endpoint=eth&b=%20").json()["target"] == (
        "/p?endpoint=eth&b=%20")


def test_falls_back_to_a_shorter_prefix(gateway):
    d = gateway([route("/", "root"),
                 route("/api", "api", rewrite="/v1"),
                 route("/api/users", "tenant", headers=["X-Tenant: a"]),
                 route("/api/users", "write", methods=["POST"])])
    assert who(d, "/api/users/1", **{"X-Tenant": "a"}) == "tenant"
    assert who(d, "/api/users/1", "POST") == "write"
    answer = d.get("/api/users/1").json()
    assert answer["who"] == "api"
    # Each route rewrites its own prefix.
    assert answer["target"] == "/v1/users/1"
    assert who(d, "/apiusers") == "root"


def test_conditions_on_what_is_answered_here(drover):
    d = drover(routes=[
        respond("/r", "plain"),
        {**respond("/r", "posted"), "methods": ["POST"]},
        {**handler("/h", "health"), "query": ["deep"]}])
    assert d.get("/r").json() == "plain"
    assert d.request("POST", "/r").json() == "posted"
    assert d.get("/h").status == 404
    assert d.get("/h?deep").status == 200


def test_options_asterisk(gateway):
    d = gateway([route("/", "root"), route("/a", "a")])
    with d.raw() as c:
        c.send("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n")
        answer = c.response().json()
    assert (answer["who"], answer["target"]) == ("root", "*")


def test_a_thousand_routes(gateway):
    d = gateway([route(f"/t/{i}", "abc"[i % 3]) for i in range(1000)])
    with d.client() as c:
        for i in range(1000):
            answer = c.get(f"/t/{i}/x")
            assert answer.json()["who"] == "abc"[i % 3], i
        assert c.get("/t/1000").status == 404
