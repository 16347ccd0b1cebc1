"""Goal: Prometheus can read /metrics, and a counter never goes back."""

import os
import re
import subprocess

from harness import handler, respond, route, service

DOCS = os.path.join(os.path.dirname(__file__), "..", "..", "..", "docs",
                    "metrics.md")


def parse(page):
    samples = {}
    for line in page.splitlines():
        if line and not line.startswith("#"):
            name, value = line.rsplit(" ", 1)
            assert name not in samples, line
            samples[name] = float(value)
    return samples


def counters(page):
    names = set(re.findall(r"^# TYPE (\S+) counter$", page, re.M))
    return {k: v for k, v in parse(page).items()
            if k.split("{")[0] in names}


def start(drover, backend):
    return drover(workers=2, services=[service("b", backend().address)],
                  routes=[route("/", "b"), respond("/own", 1),
                          handler("/api/metrics", "metrics"),
                          handler("/health", "health"),
                          handler("/api/health", "health")])


def page(d):
    response = d.admin("/metrics")
    assert response.status == 200
    assert response.headers["content-type"].startswith("text/plain")
    return response.body.decode()


def test_promtool(drover, backend):
    d = start(drover, backend)
    for path in ("/", "/own", "/none"):
        d.get(path)
    checked = subprocess.run(["promtool", "check", "metrics"],
                             input=page(d), text=True, capture_output=True,
                             timeout=20)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert checked.stderr.strip() == ""


def test_documented(drover, backend, redis):
    """Exactly the documented metrics."""
    d = drover(workers=1, services=[service("b", backend().address)],
               redis={"url": redis().url})
    there = set(re.findall(r"^# TYPE (\S+) ", page(d), re.M))
    with open(DOCS, encoding="utf-8") as f:
        # The first column of a table.
        cells = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \|", f.read(), re.M)
    told = [name for cell in cells for name in re.findall(r"\w+", cell)]
    assert len(told) == len(set(told))
    assert set(told) == there


def test_monotonic_over_a_restart(drover, backend):
    d = start(drover, backend)
    for _ in range(40):
        assert d.get("/").status == 200
    before = counters(page(d))
    assert before
    for slot in range(2):
        d.kill_worker(slot)
    for _ in range(10):
        assert d.get("/").status == 200
    after = counters(page(d))
    for name, value in before.items():
        assert after[name] >= value, name
    requests = [k for k in after if re.match(r"drover_requests_total", k)]
    assert sum(after[k] for k in requests) == 50


def test_health_and_readiness(drover, backend):
    d = start(drover, backend)
    assert d.admin("/healthz").status == 200
    assert d.admin("/readyz").status == 200
    assert d.admin("/none").status == 404
    for path in ("/health", "/api/health"):
        response = d.get(path)
        assert response.status == 200
        assert response.json()["status"] == "ok"


def test_metrics_of_the_worker(drover, backend):
    d = start(drover, backend)
    seen = d.get_from_all("/api/metrics", 30)
    pids = d.workers()
    for m in seen:
        assert m["pid"] in pids
        assert m["worker"] == pids.index(m["pid"]) + 1
        assert m["instance"] == "drover"
        assert isinstance(m["uptime"], float) and m["uptime"] > 0
        assert re.fullmatch(r"\d+ MB", m["memory"]["rss"])
        assert {"heapTotal", "heapUsed"} <= m["memory"].keys()
        assert {"p50Ms", "p99Ms", "maxMs"} <= m["eventLoopDelay"].keys()
        assert "redis" in m
    assert max(m["requestCount"] for m in seen) >= 15
    assert {m["pid"] for m in seen} == set(pids)


def test_the_workers_do_not_serve_the_admin_pages(drover, backend):
    d = start(drover, backend)
    d.get("/")
    # With a catch-all route the backend gets the request.
    assert d.get("/metrics").json()["target"] == "/metrics"
    assert d.get("/api/cluster").json()["target"] == "/api/cluster"
