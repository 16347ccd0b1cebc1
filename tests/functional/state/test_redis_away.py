"""Goal: without Redis nothing stops: requests are proxied, the counter answers
with a clear error, one line reports the loss once, and all heals by itself."""

import signal

from harness import free_port, handler, route, service, wait_for

DEGRADED = r"degraded mode: proxying goes on"


def start(drover, backend, url):
    b = backend()
    return drover(workers=4, redis={"url": url},
                  services=[service("b", b.address,
                                    breaker={"failures": 3})],
                  routes=[route("/", "b"), handler("/api/count", "count"),
                          handler("/api/metrics", "metrics")])


def assert_clear_refusal(response):
    assert response.status == 503
    assert response.headers["content-type"] == "application/json"
    assert "Redis" in response.json()["error"]


def test_killed_and_restarted(drover, backend, redis):
    server = redis()
    d = start(drover, backend, server.url)
    d.wait_redis()
    first = d.get("/api/count").json()["count"]
    server.kill()
    # Not a single request fails, from the very first on.
    for i in range(200):
        assert d.get("/").status == 200, i
        if i % 20 == 0:
            assert_clear_refusal(d.get("/api/count"))
    d.wait_log(DEGRADED)
    d.wait_redis("down")
    assert d.get("/api/metrics").json()["redis"] == "down"
    server = redis(port=server.port)
    d.wait_redis()
    d.wait_log("degraded mode is over")
    assert d.get("/api/metrics").json()["redis"] == "up"
    for _ in range(20):
        assert d.get("/api/count").status == 200
        assert d.get("/").status == 200
    assert first == 1
    # Once, not by each of the four workers.
    assert d.count_log(DEGRADED) == 1
    assert d.count_log("degraded mode is over") == 1


def test_unreachable_from_the_start(drover, backend):
    port = free_port()
    d = start(drover, backend, f"redis://:secret@127.0.0.1:{port}")
    for _ in range(20):
        assert d.get("/").status == 200
    assert_clear_refusal(d.get("/api/count"))
    d.wait_log(DEGRADED)
    assert d.count_log(DEGRADED) == 1
    line = d.wait_log(rf".*{DEGRADED}.*").group(0)
    assert f"127.0.0.1:{port}" in line
    assert "secret" not in d.log()


def test_an_address_that_never_answers(drover, backend, redis):
    """Redis runs but stands still: silence has a deadline."""
    server = redis()
    d = start(drover, backend, server.url)
    d.wait_redis()
    assert d.get("/api/count").status == 200
    server.signal(signal.SIGSTOP)
    try:
        assert_clear_refusal(d.get("/api/count"))
        for _ in range(20):
            assert d.get("/").status == 200
        d.wait_log(DEGRADED)
    finally:
        server.signal(signal.SIGCONT)
    wait_for(lambda: d.get("/api/count").status == 200, "it counts again")
    assert d.count_log("breaker b: ") == 0


def test_a_redis_that_wants_a_password(drover, backend, redis):
    server = redis()
    server.client.config_set("requirepass", "secret")
    wrong = start(drover, backend, server.url)
    assert_clear_refusal(wrong.get("/api/count"))
    wrong.wait_log(rf".*NOAUTH.*{DEGRADED}|.*{DEGRADED}")
    wrong.stop()
    right = drover(name="right", routes=[handler("/api/count", "count")],
                   redis={"url": f"redis://:secret@127.0.0.1:{server.port}"})
    right.wait_redis()
    assert right.get("/api/count").json()["count"] == 1
    assert "secret" not in right.log()
