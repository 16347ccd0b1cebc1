"""Goal: the README's lines work as written with docker-compose 1.29 too."""

import pytest

import readme
import scenes
import stack
from stack import get, shell

pytestmark = pytest.mark.usefixtures("compose_v1")


def test_up_and_scale():
    stack.await_healthy("api-gateway", 3)
    assert get("/api/users").json()[0] == {"id": 1, "name": "Alice"}
    shell("docker-compose up --scale api-gateway=5 -d")
    stack.await_healthy("api-gateway", 5)
    stack.await_instances(5)


def test_stop_start_and_logs():
    shell("docker-compose stop payment-service")
    assert get("/api/pay", timeout=30).status_code in (502, 503, 504)
    shell("docker-compose start payment-service")
    stack.eventually("it is back", lambda: get("/api/pay").status_code == 200, 30)

    assert get("/api/cpu-bound?ms=300").status_code == 200
    stack.eventually(
        "the line in the log",
        lambda: shell(
            'docker-compose logs api-gateway | grep "Event loop delay"',
            check=False,
        ),
        seconds=10,
    )


def test_both_doors(walk_v1):
    """At five gateways, after the first test."""
    scenes.both_doors_answer(walk_v1)


def test_scaling(walk_v1):
    scenes.scaling(walk_v1)


def test_failing(walk_v1):
    scenes.a_blocked_worker(walk_v1)
    scenes.balancer_away(walk_v1)
    scenes.without_scaling(walk_v1)


def test_port_3000_after_down_and_up():
    """The engine has assigned other ports since; this port is fixed."""
    stack.down("docker-compose")
    readme.up("docker-compose")
    scenes.direct_instance()
