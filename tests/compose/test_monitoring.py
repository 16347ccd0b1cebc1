"""Goal: the profile `monitoring` sees every replica, its data stays on the
inner network, and each command of docs/troubleshooting.md shows the promised
text. The tests share one stack, in this order."""

import json
import re
import urllib.parse

import pytest

import stack
import stand_in
from stack import get, shell

PROMETHEUS = "http://127.0.0.1:9090"
GRAFANA = "http://127.0.0.1:3030"
ADMIN_PORT = 9180
# The sections of docs/troubleshooting.md and the output to expect.
SHOWN = {
    "Troubleshooting": [r'\["\w+","demo",\d'],
    "High delay": [r"Event loop delay: 3\d\dms", r"CPU %",
                   r'drover_event_loop_busy_seconds\{worker="1"\} ',
                   r'\["GET /api/users HTTP/1.1",0\.\d+,.*:3001"\]'],
    "Errors": [r'drover_service_breaker_state\{service="payments"\} [12]',
               r'"error":"service payments: ',
               r"breaker payments: closed -> open"],
    "Inconsistent state": [r'\[\d+,"redis","\w+",\d+\]', r"PONG",
                           r'drover_redis_up\{worker="1"\} 1',
                           r"drover:\{demo\}:count"],
    "Uneven load": [r'drover_requests_total\{worker="1"\} \d+',
                    r'drover_connections\{worker="1"\} \d+',
                    r'(\["\w+",\d+\]\n)\1{9}', r"drover_connections_stood_in"],
    "Not scaling": [r"healthy", r"STREAM api-gateway", r" \d+ \w{12}\n",
                    r"drover: worker 1", r"drover_upstream_shed_total"],
    "Crash loop": [r'"cause":"signal 9', r"worker 1 died: "],
}


@pytest.fixture(scope="module", autouse=True)
def bring_up():
    stack.down("docker compose --profile monitoring")
    try:
        stand_in.make_prometheus()
        shell("docker compose up --build -d", timeout=600)
        shell("docker compose up --no-recreate -d prometheus")
        stack.await_healthy("lb", 1)
        stack.await_healthy("prometheus", 1)
        yield
    finally:
        stack.down("docker compose --profile monitoring")


def api(path, **parameters):
    query = urllib.parse.urlencode(parameters)
    return get(f"/api/v1/{path}?{query}", PROMETHEUS).json()["data"]


def drovers():
    """(compose service, address) of every running container of our image."""
    ids = shell("docker ps -q --filter label=com.docker.compose.project="
                + stack.PROJECT).split()
    found = set()
    for container in json.loads(shell(f"docker inspect {' '.join(ids)}")):
        if container["Config"]["Entrypoint"] == ["drover"]:
            (network,) = container["NetworkSettings"]["Networks"].values()
            found.add((container["Config"]["Labels"]
                       ["com.docker.compose.service"], network["IPAddress"]))
    return found


def targets():
    """The same figures of the targets that Prometheus has found and can
    read."""
    return {(t["labels"]["compose_service"],
             t["labels"]["instance"].split(":")[0])
            for t in api("targets")["activeTargets"] if t["health"] == "up"}


def await_targets(gateways):
    def complete():
        found = targets()
        names = [name for name, _ in found]
        return found == drovers() and names.count("api-gateway") == gateways

    stack.eventually(f"{gateways} gateways and all others are targets",
                     complete, 60)


def await_alert(name, **labels):
    def is_firing():
        return any(alert["state"] == "firing" and
                   alert["labels"]["alertname"] == name and
                   labels.items() <= alert["labels"].items()
                   for alert in api("alerts")["alerts"])

    stack.eventually(f"{name} fires", is_firing, 60)


def test_every_replica_is_found():
    await_targets(3)
    shell("docker compose up --scale api-gateway=5 -d")
    await_targets(5)
    shell("docker compose up --scale api-gateway=2 -d")
    await_targets(2)


def test_the_admin_endpoint_is_not_published():
    ids = shell("docker ps -q --filter label=com.docker.compose.project="
                + stack.PROJECT).split()
    published = []
    for container in json.loads(shell(f"docker inspect {' '.join(ids)}")):
        ports = container["NetworkSettings"]["Ports"]
        assert not ports.get(f"{ADMIN_PORT}/tcp")
        published += [b for bindings in ports.values() for b in bindings or ()]
    assert published
    for binding in published:
        if binding["HostPort"] == "9090":
            assert binding["HostIp"] == "127.0.0.1"
    assert get("/metrics").status_code == 404


def test_the_image_has_a_client():
    line = "docker compose exec -T api-gateway {}"
    assert shell(line.format("curl -fsS localhost:9180/readyz")) == "ready\n"
    shell(line.format("healthcheck"))


def stop_payments():
    """Until the closed circuit opens."""
    stack.eventually("payments are answered",
                     lambda: get("/api/pay").status_code == 200, 30)
    shell("docker compose stop payment-service")
    for _ in range(4):
        assert get("/api/pay", timeout=30).status_code in (502, 503, 504)


def test_alerts_fire():
    assert get("/api/cpu-bound?ms=300", timeout=10).status_code == 200
    await_alert("EventLoopDelay", compose_service="api-gateway")
    stop_payments()
    await_alert("BreakerOpen", service="payments")
    shell("docker compose start payment-service")
    stack.await_healthy("payment-service", 1)


def test_grafana():
    """The real Grafana: its data source works and the dashboard exists."""
    if not stand_in.can_be_had("grafana"):
        pytest.skip("no registry can be reached for grafana/grafana")
    shell("docker compose --profile monitoring up -d --no-recreate grafana")

    def answers(path):
        try:
            return get(path, GRAFANA).status_code == 200
        except OSError:
            return False

    stack.eventually("Grafana is up", lambda: answers("/api/health"), 120)
    board = get("/api/dashboards/uid/drover", GRAFANA).json()["dashboard"]
    assert board["title"] == "Drover" and len(board["panels"]) > 20
    proxied = "/api/datasources/proxy/uid/prometheus/api/v1/query?query=up"
    assert get(proxied, GRAFANA).json()["data"]["result"]


def sections():
    """Title -> the blocks of commands below it, as in the page."""
    found = {}
    text = (stack.ROOT / "docs" / "troubleshooting.md").read_text()
    for part in re.split(r"^#+ ", text, flags=re.M)[1:]:
        title, body = part.split("\n", 1)
        found[title] = [re.sub(r"^    ", "", block, flags=re.M) for block in
                        re.findall(r"(?:^    .*\n)+", body, re.M)]
    return found


def make_symptoms(title):
    if title == "High delay":
        get("/api/cpu-bound?ms=300", timeout=10)
    elif title == "Errors":
        stop_payments()
    elif title == "Crash loop":
        shell("""docker compose exec -T api-gateway bash -c 'kill -9 "$(
            ps -eo pid,args | awk "/drover: worker 1/ { print \\$1; exit }")"'""")


def end_symptoms(title):
    if title == "High delay":  # the commands turned the access log on
        shell("docker compose up -d api-gateway")
        stack.await_healthy("api-gateway", 3)
    elif title == "Errors":
        shell("docker compose start payment-service")
        stack.await_healthy("payment-service", 1)


def test_the_page_has_these_sections():
    assert list(sections()) == list(SHOWN)


@pytest.mark.parametrize("title", SHOWN)
def test_troubleshooting(title):
    """Every block runs, and together the blocks show the cause."""
    make_symptoms(title)
    try:
        shown = "\n".join(shell(f"set -o pipefail\n{block}")
                          for block in sections()[title])
    finally:
        end_symptoms(title)
    for regex in SHOWN[title]:
        assert re.search(regex, shown), f"{regex} is not in:\n{shown}"


def test_the_profile_works_with_compose_v1():
    shown = shell("docker-compose --profile monitoring config --services")
    assert {"prometheus", "grafana"} <= set(shown.split())
