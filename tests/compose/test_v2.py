"""Goal: with Compose v2, scaling up and down, losing a service and blocking a
worker go as the README says. The tests share one stack, in this order."""

import re
import time

import pytest

import scenes
import stack
from stack import get, shell

pytestmark = pytest.mark.usefixtures("compose_v2")


def test_gateway_proxies_to_all_services():
    stack.await_healthy("api-gateway", 3)
    assert get("/api/users").json()[0] == {"id": 1, "name": "Alice"}
    assert get("/api/orders").json()[0] == {"id": 101, "userId": 1, "total": 100}
    assert get("/api/pay").json()["status"] == "PAID"
    assert get("/nginx-health").status_code == 200


def test_count_is_one_number_over_all_instances():
    numbers = [get("/api/count").json()["count"] for _ in range(60)]
    assert numbers == sorted(set(numbers))


def test_containers_are_confined():
    for service in ("api-gateway", "user-service", "lb"):
        for container in stack.containers(service):
            host = container["HostConfig"]
            assert container["Config"]["User"] == "nobody"
            assert host["ReadonlyRootfs"]
            assert host["CapDrop"] == ["ALL"]
            assert host["Memory"] > 0
            assert host["NanoCpus"] > 0


def test_each_replica_is_reachable_directly():
    hosts = set()
    for container in stack.containers("api-gateway"):
        ports = container["NetworkSettings"]["Ports"]["3000/tcp"]
        answer = get("/api/metrics", f"http://127.0.0.1:{ports[0]['HostPort']}")
        hosts.add(answer.json()["instance"])
    assert len(hosts) == 3


def test_several_instances_and_pids_answer():
    line = "for i in {1..10}; do curl -s http://localhost/api/metrics | jq .pid; done"
    pids = shell(line).split()
    assert len(pids) == 10 and all(pid.isdigit() for pid in pids)
    line = line.replace(".pid", "-c '[.instance, .pid]'")
    assert len(scenes.pairs(shell(line))) == 10
    stack.await_instances(3)
    stack.eventually(
        "both workers' pids", lambda: len(stack.instances("pid")) > 1, seconds=20
    )


def test_scaling_fails_no_request():
    with stack.Traffic("/api/users") as traffic:
        traffic.more(50)
        shell("docker compose up --scale api-gateway=5 -d")
        stack.await_healthy("api-gateway", 5)
        stack.await_instances(5)
        traffic.more(50)
        shell("docker compose up --scale api-gateway=2 -d")
        stack.await_healthy("api-gateway", 2)
        stack.await_instances(2)
        traffic.more(100)
    assert traffic.failures == []


def test_circuit_opens_and_closes_by_itself():
    shell("docker compose stop payment-service")
    # A host that is gone takes 3 s to be missed; connecting may take 10 s.
    answers = [get("/api/pay", timeout=30) for _ in range(10)]
    assert {answer.status_code for answer in answers} <= {502, 503, 504}
    # Open: refused at once by whichever instance, without another try.
    assert all("circuit" in answer.text for answer in answers[5:])
    assert get("/api/users").status_code == 200

    shell("docker compose start payment-service")
    stack.await_healthy("payment-service", 1)
    started = time.monotonic()
    stack.eventually(
        "the circuit closes", lambda: get("/api/pay").status_code == 200, 20
    )
    assert time.monotonic() - started < 15
    # The probing gateway knows first; the rest hear milliseconds later.
    stack.eventually(
        "it is closed for all",
        lambda: all(get("/api/pay").status_code == 200 for _ in range(20)),
        2,
    )


def test_blocked_worker_is_logged_once_and_stood_in_for():
    line = 'docker compose logs api-gateway | grep "Event loop delay"'
    blocked = re.compile(r"Event loop delay: (3\d\d\d)ms")
    assert not blocked.search(shell(line, check=False))
    with stack.Traffic("/api/users") as traffic:
        assert get("/api/cpu-bound").status_code == 200
    assert traffic.failures == []
    delays = stack.eventually(
        "the line in the log",
        lambda: blocked.findall(shell(line, check=False)),
        seconds=10,
    )
    assert len(delays) == 1


def test_ps_shows_who_is_who():
    container = stack.containers("api-gateway")[0]["Id"]
    shown = shell(f"docker exec {container} ps aux")
    assert "drover: master" in shown
    assert "drover: worker 1" in shown
    # -it needs a terminal, from script(1); ps cuts lines to its width.
    line = f"docker exec -it {container} ps aux"
    assert "drover: " in shell(f'script -qec "{line}" /dev/null')


def test_stopping_is_clean():
    gateways = " ".join(c["Id"] for c in stack.containers("api-gateway"))
    shell("docker compose stop")
    codes = shell(f"docker inspect -f '{{{{.State.ExitCode}}}}' {gateways}")
    assert set(codes.split()) == {"0"}
