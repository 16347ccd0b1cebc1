"""Goal: all JSON responses name their keys in one style and in one order: the
answering process first, and numbers with units."""

import re

from harness import handler, respond, route, service, wait_for

ROUTES = [handler("/metrics", "metrics"), handler("/count", "count"),
          handler("/cpu", "cpu_bound"), handler("/health", "health"),
          respond("/fails", 1, fail_percent=100), route("/away", "away"),
          {**respond("/post", 1), "methods": ["POST"]}]
KEY = re.compile("[a-z][A-Za-z0-9]*")
WHO = ["pid", "worker", "instance"]


def keys(value):
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from keys(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from keys(inner)


def fractions(value, key=None):
    """The keys of all numbers that are no counts."""
    if isinstance(value, float):
        yield key
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from fractions(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from fractions(inner, key)


def check(answer):
    """In one style; a number that is no count has its unit."""
    value = answer.json()
    assert answer.headers["content-type"] == "application/json"
    wrong = [key for key in keys(value) if not KEY.fullmatch(key)]
    assert not wrong
    for key in fractions(value):
        assert key == "uptime" or key.endswith("Ms"), key
    return value


def start(drover, redis, place):
    d = drover(redis={"url": redis().url}, routes=ROUTES,
               services=[service("away", f"unix:{place}/nobody", retries=0)])
    d.wait_redis()
    return d


def test_the_workers(drover, redis, place):
    d = start(drover, redis, place)
    for path, first in [("/metrics", "uptime"), ("/count", "count"),
                        ("/count?state=memory", "count"), ("/cpu?ms=1", "ms"),
                        ("/cpu?ms=1&offload=true", "ms"),
                        ("/health", "status")]:
        value = check(d.get(path))
        assert list(value)[:4] == [*WHO, first], path
        assert value["pid"] in d.workers()
    memory = check(d.get("/metrics"))["memory"]
    assert list(memory) == ["rss", "heapTotal", "heapUsed"]
    assert all(re.fullmatch(r"\d+ MB", size) for size in memory.values())


def test_errors(drover, redis, place):
    d = start(drover, redis, place)
    answers = [d.get(path) for path in ("/none", "/fails", "/away", "/post",
                                        "/cpu?ms=x")]
    answers += [d.admin("/none")]
    for answer, status in zip(answers, (404, 503, 502, 405, 400, 404),
                              strict=True):
        value = check(answer)
        assert value.pop("requestId", None) == answer.headers.get(
            "x-request-id")
        assert list(value) == ["error", "status"]
        assert value["status"] == answer.status == status
        assert answer.headers["cache-control"] == "no-store"
    # The master's endpoint names no request.
    assert [("x-request-id" in a.headers) for a in answers] == [True] * 5 + [
        False]


def test_the_master(drover, redis, place):
    d = start(drover, redis, place)
    d.kill_worker(1)
    d.kill_worker(0)
    d.get("/away")
    value = check(d.admin("/api/cluster"))
    assert list(value)[:4] == ["pid", "instance", "cluster", "version"]
    assert value["pid"] == d.pid
    assert len(value["workers"]) == 2 and len(value["deaths"]) == 2
    for entry in value["workers"] + value["deaths"]:
        assert list(entry)[:2] == WHO[:2], entry
    # A worker reads its memory in its first tick, once ready.
    wait_for(lambda: all(w["rssBytes"] > 100000
                         for w in d.cluster()["workers"]), "memory is known")
    totals = value["totals"]
    assert totals["upstreamConnects"] == 0 and totals["requests"] == 1
    assert isinstance(totals["eventLoopBusyOver10msMs"], float)
