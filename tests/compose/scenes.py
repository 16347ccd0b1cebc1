"""The README's promises about its blocks, for both versions of Compose."""

import json
import re

import stack

PAIR = re.compile(r'\["[^",]+",\d+\]')


def pairs(shown):
    """The [instance, pid] pairs in the output."""
    return [tuple(json.loads(pair)) for pair in PAIR.findall(shown)]


def direct_instance():
    """The answering process on port 3000, always direct-gateway."""
    (container,) = stack.containers("direct-gateway")
    name = container["Config"]["Hostname"]
    answered = {
        stack.get("/api/metrics", stack.DIRECT).json()["instance"]
        for _ in range(10)
    }
    assert answered == {name}
    return name


def gateways():
    return {c["Config"]["Hostname"] for c in stack.containers("api-gateway")}


def both_doors_answer(walk):
    shown = walk.run("With containers", "/api/users")
    *balanced, direct = pairs(shown)
    assert '"name":"Alice"' in shown
    assert len(balanced) == 10
    assert {instance for instance, _ in balanced} <= gateways()
    assert direct[0] == direct_instance()


def scaling(walk):
    """Up to five, down to one, and back to three; port 3000 stays."""
    shown = walk.run("Scaling", "--scale api-gateway=5")
    stack.await_healthy("api-gateway", 5)
    assert len(pairs(shown)) == 10
    assert len(re.findall(r":\d+->3000/tcp", shown)) >= 5
    stack.await_instances(5)
    direct = direct_instance()

    shown = walk.run("Scaling", "--scale api-gateway=1")
    assert [instance for instance, _ in pairs(shown)] == [direct]
    stack.await_healthy("api-gateway", 3)
    stack.await_instances(3)
    assert direct_instance() == direct


def a_blocked_worker(walk):
    shown = walk.run("Failing", "cpu-bound\n")
    assert "drover: " in shown
    assert re.search(r"Event loop delay: 3\d\d\dms", shown)


def payments_away(walk):
    shown = walk.run("Failing", "stop payment-service")
    assert shown.count("circuit") >= 5
    stack.eventually(
        "the circuit closes",
        lambda: stack.get("/api/pay", timeout=30).status_code == 200,
        30,
    )


def balancer_away(walk):
    assert '"name":"Alice"' in walk.run("Failing", "stop lb")
    stack.await_healthy("lb", 1)
    assert stack.get("/api/users").status_code == 200


def without_scaling(walk):
    """A single worker answers in the order of the requests."""
    shown = walk.run("Failing", "WORKER_COUNT=1")
    assert 0 < shown.index("durationMs") < shown.index("Alice")
    stack.await_healthy("direct-gateway", 1)
    direct_instance()


def answered_all(shown):
    """The output of autocannon for two loads: requests, and no errors."""
    assert len(re.findall(r"requests in \d", shown)) == 2, shown
    assert "error" not in shown and "non 2xx" not in shown, shown
