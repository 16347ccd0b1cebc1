"""Goal: README.md's blocks, taken from README.md, keep their promises with
Compose v2, in their order; under load too, where no request fails. The tests
share one stack."""

import re

import readme
import scenes
import stack

SECTIONS = ("With containers", "Scaling", "Failing", "Load")


def test_both_doors(walk_v2):
    scenes.both_doors_answer(walk_v2)


def test_scaling(walk_v2):
    scenes.scaling(walk_v2)


def test_failing(walk_v2):
    scenes.a_blocked_worker(walk_v2)
    scenes.payments_away(walk_v2)
    scenes.balancer_away(walk_v2)
    scenes.without_scaling(walk_v2)


def test_load_fails_no_request(walk_v2):
    scenes.answered_all(walk_v2.run("Load", "autocannon -c"))


def test_load_demo(walk_v2):
    """The status says whether five gateways do three times the work of one."""
    shown = walk_v2.run("Load", "scripts/demo load")
    assert len(re.findall(r"req/s .* 0 failed", shown)) == 4
    stack.await_healthy("api-gateway", 3)
    for container in stack.containers("api-gateway"):
        assert container["HostConfig"]["NanoCpus"] == 1e9


def shortened():
    text = readme.block("Load", "autocannon -c")
    assert text.count("-d 10 ") == 2
    return text.replace("-d 10 ", "-d 3 ")


def test_load_after_down_and_up(walk_v2):
    walk_v2.run("Load", "docker compose down")
    walk_v2.run("With containers", "up --build")
    stack.await_healthy("api-gateway", 3)
    stack.await_healthy("lb", 1)
    scenes.answered_all(readme.run(shortened()))
    scenes.direct_instance()


def test_load_after_scaling_down(walk_v2):
    for count in (5, 1):
        stack.shell(f"docker compose up --scale api-gateway={count} -d")
        stack.await_healthy("api-gateway", count)
        stack.await_instances(count)
        scenes.direct_instance()
    scenes.answered_all(readme.run(shortened()))


def test_no_block_was_left_out(walk_v2):
    # tests/functional/scripts/test_demo.py runs the one without containers.
    assert walk_v2.left(*SECTIONS) == [
        "scripts/setup --build\nscripts/demo load-steps"]
