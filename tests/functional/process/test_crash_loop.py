"""Goal: a worker that dies again and again is started less and less often, the
other workers go on, and the gateway still stops in good order."""

import os
import re
import signal

from harness import respond, wait_for


def test_backoff(drover):
    d = drover(routes=[respond("/", 1)])
    steady = d.workers()[0]
    delays = []
    for death in range(4):
        pid = wait_for(lambda: [w["pid"] for w in d.cluster()["workers"]
                                if w["worker"] == 2 and w["state"] in
                                ("ready", "starting")], "worker 2 is back")[0]
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda n=death: d.count_log("worker 2 died") == n + 1,
                 "the death is noticed")
        line = re.findall(r"worker 2 died.*", d.log())[-1]
        ms = re.search(r"(\d+) ms", line)
        delays.append(int(ms.group(1)) if ms else 0)
        # No request waits for the worker.
        for _ in range(10):
            assert d.get("/").status == 200
    assert delays[0] == 0, d.log()
    assert 0 < delays[1] < delays[2] < delays[3], d.log()
    assert d.workers()[0] == steady
