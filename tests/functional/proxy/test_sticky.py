"""Goal: a client with the cookie comes back to its endpoint, as long as the
endpoint exists."""

import re

import pytest

from harness import in_parallel, route, service

COOKIE = re.compile(
    r"lb=([0-9a-f]{16}); Path=/; HttpOnly; SameSite=Lax")


def named(name):
    def handle(connection):
        while connection.read_request() is not None:
            connection.reply(name, headers="Set-Cookie: own=1\r\n")
    return handle


def sticky(*endpoints, **more):
    return service("s", *endpoints, sticky={"cookie": "lb"}, **more)


def ask(d, cookie=None):
    """The answering endpoint, and the new cookie, or None."""
    with d.raw() as c:
        line = f"Cookie: theme=dark; lb={cookie}\r\n" if cookie else ""
        c.send(f"GET / HTTP/1.1\r\nHost: a\r\n{line}\r\n")
        answer = c.response()
    assert answer.status == 200
    cookies = [v for k, v in answer.pairs if k == "set-cookie"]
    assert cookies[0] == "own=1"
    assert len(cookies) <= 2
    return answer.body.decode(), \
        COOKIE.fullmatch(cookies[1]).group(1) if len(cookies) == 2 else None


def cookies_of(d, names):
    """Each endpoint's cookie."""
    cookies = {}
    for _ in range(100):
        name, cookie = ask(d)
        assert cookies.setdefault(name, cookie) == cookie
    assert set(cookies) == set(names)
    assert len(set(cookies.values())) == len(names)
    return cookies


@pytest.mark.parametrize("policy", ["round_robin", "least_conn", "random_two",
                                    "consistent_hash"])
def test_the_cookie_leads_back(drover, backend, policy):
    addresses = [backend(named(n)).address for n in "abc"]
    d = drover(routes=[route("/", "s")],
               services=[sticky(*addresses, policy=policy)])
    first, cookie = ask(d)
    # From each worker, and nothing is set anew.
    assert in_parallel(4, lambda i: [ask(d, cookie) for _ in range(10)]) == \
        [[(first, None)] * 10] * 4


def test_an_endpoint_that_is_gone(drover, backend):
    backends = {n: backend(named(n)) for n in "ab"}
    d = drover(routes=[route("/", "s")],
               services=[sticky(*[b.address for b in backends.values()],
                                eject={"for": "60s"})])
    cookies = cookies_of(d, "ab")
    backends["a"].stop()
    for _ in range(10):
        assert ask(d, cookies["a"]) == ("b", cookies["b"])
    assert ask(d, cookies["b"]) == ("b", None)


def test_what_is_no_cookie_of_ours(drover, backend):
    d = drover(routes=[route("/", "s")],
               services=[sticky(backend(named("a")).address)])
    cookie = ask(d)[1]
    for other in ("0123456789abcdef", cookie.upper() + "0", cookie[:-1],
                  "x" * 300, "0" * 16):
        assert ask(d, other) == ("a", cookie)


def test_a_drained_endpoint_keeps_its_clients(drover, backend):
    """A cookie is valid in each instance, for any order of endpoints."""
    addresses = {n: backend(named(n)).address for n in "ab"}
    before = drover(name="before", routes=[route("/", "s")],
                    services=[sticky(*addresses.values())])
    cookies = cookies_of(before, "ab")
    after = drover(name="after", routes=[route("/", "s")],
                   services=[sticky(addresses["b"],
                                    f"{addresses['a']} weight=0")])
    for _ in range(10):
        assert ask(after, cookies["a"]) == ("a", None)
        assert ask(after) == ("b", cookies["b"])


def test_no_cookie_unless_wanted(drover, backend):
    d = drover(routes=[route("/", "s")],
               services=[service("s", backend(named("a")).address)])
    assert ask(d) == ("a", None)
    assert ask(d, "0123456789abcdef") == ("a", None)
