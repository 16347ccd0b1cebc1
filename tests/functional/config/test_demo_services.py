"""Goal: a respond route answers as the demo services need: with a new number
in each response, after the configured delay, failing at the configured rate."""

import re
import time

from harness import respond


def test_random_is_another_one_each_time(drover):
    d = drover(routes=[respond("/pay", {"status": "PAID",
                                        "transactionId": "{{random}}"})])
    answers = [d.get("/pay").json() for _ in range(20)]
    assert all(a["status"] == "PAID" for a in answers)
    ids = {a["transactionId"] for a in answers}
    assert len(ids) == 20
    assert all(re.fullmatch("[0-9a-f]{16}", i) for i in ids)


def test_it_fails_as_often_as_it_is_told(drover):
    d = drover(routes=[respond("/never", "ok"),
                       respond("/always", "ok", fail_percent=100),
                       respond("/half", "ok", fail_percent=50)])
    with d.client() as c:
        def failures(path):
            answers = [c.get(path) for _ in range(200)]
            assert {a.status for a in answers} <= {200, 503}
            return sum(a.status == 503 for a in answers)

        assert failures("/never") == 0
        assert failures("/always") == 200
        # Below 1 in 10^15 by chance.
        assert 40 < failures("/half") < 160


def test_it_is_late(drover):
    d = drover(routes=[respond("/", "ok", delay="150ms")])
    began = time.monotonic()
    assert d.get("/").status == 200
    assert time.monotonic() - began >= 0.15
