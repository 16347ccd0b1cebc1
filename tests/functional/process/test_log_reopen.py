"""Goal: a rotation of the access log loses no line and tears none, under load;
a failed rotation is logged once."""

import os
import re
import shutil
import signal
import subprocess
import threading

from harness import DROVER, respond, wait_for

WHOLE = re.compile(r'127\.0\.0\.1 \S+Z "GET /(\S+) HTTP/1\.1" 200 4 \d+\.\d{6} '
                   r'host=.* instance=drover worker=\d+')


def start(drover, path, **more):
    """Late wake-ups on a busy machine shall not be logged."""
    return drover(routes=[respond("/", "ok")], log={"access": path},
                  event_loop={"delay_warning": "1h", "stall_threshold": "1h"},
                  **more)


def names(*paths):
    """The requested names; every line is whole."""
    found = []
    for path in paths:
        with open(path, encoding="ascii") as f:
            text = f.read()
        assert text == "" or text.endswith("\n")
        for line in text.splitlines():
            match = WHOLE.fullmatch(line)
            assert match, f"{path}: {line!r}"
            found.append(match[1])
    return found


MOVED = "access log: goes on in a new"


def wait_moved(d, count):
    """So many times in all a worker has let the old file go."""
    wait_for(lambda: d.count_log(MOVED) == count, "the new file is in use")


def rotate(d, path, old):
    """As logrotate does: when it is over nobody writes the old file."""
    count = d.count_log(MOVED) + len(d.workers())
    os.rename(path, old)
    d.signal(signal.SIGUSR1)
    wait_moved(d, count)


def test_under_load(drover, place):
    path = os.path.join(place, "access.log")
    d = start(drover, path, workers=3)
    over = threading.Event()
    asked = [0] * 6

    def ask(i):
        with d.client() as c:
            while not over.is_set():
                assert c.get(f"/{i}-{asked[i]}").status == 200
                asked[i] += 1

    threads = [threading.Thread(target=ask, args=(i,)) for i in range(6)]
    for t in threads:
        t.start()
    olds = []
    for i in range(20):
        before = sum(asked)
        olds.append(f"{path}.{i}")
        rotate(d, path, olds[-1])
        wait_for(lambda b=before: sum(asked) > b + 20, "it goes on")
    over.set()
    for t in threads:
        t.join()
    want = sorted(f"{i}-{n}" for i in range(6) for n in range(asked[i]))
    wait_for(lambda: len(names(path, *olds)) >= len(want), "all lines")
    # Each line is in one file, once.
    assert sorted(names(path, *olds)) == want
    assert d.count_log(f"USR1: {re.escape(path)} is opened anew") == 20
    assert " warn " not in d.log() and " error " not in d.log()


def test_by_order(drover, place):
    path = os.path.join(place, "access.log")
    d = start(drover, path)
    os.rename(path, f"{path}.1")
    done = subprocess.run([DROVER, "-c", d.path, "-s", "reopen"], timeout=10,
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    wait_moved(d, len(d.workers()))
    assert d.get("/x").status == 200
    wait_for(lambda: names(path) == ["x"], "it is written")


def test_a_blocked_worker_hears_of_it_later(drover, place):
    """A stopped worker can't reopen; its gathered lines are not lost."""
    path = os.path.join(place, "access.log")
    d = start(drover, path, workers=1)
    worker, = d.workers()
    with d.client() as c:
        assert c.get("/a").status == 200
        os.kill(worker, signal.SIGSTOP)
        os.rename(path, f"{path}.1")
        d.signal(signal.SIGUSR1)
        d.wait_log("is opened anew")
        os.kill(worker, signal.SIGCONT)
        wait_moved(d, 1)
        assert c.get("/b").status == 200
    wait_for(lambda: len(names(path, f"{path}.1")) == 2, "both are there")
    assert "b" in names(path) and "a" in names(path, f"{path}.1")


def test_a_worker_that_starts_later(drover, place):
    """The first worker makes the new file; the rest follow at the master's
    word."""
    path = os.path.join(place, "access.log")
    d = start(drover, path, workers=2)
    os.rename(path, f"{path}.1")
    d.kill_worker(0)
    assert os.path.exists(path)
    d.signal(signal.SIGUSR1)
    wait_moved(d, 2)
    for i in range(20):
        assert d.get(f"/{i}").status == 200
    wait_for(lambda: len(names(path)) == 20, "all are in the new one")
    assert names(f"{path}.1") == []


def test_as_another_user(drover, place):
    """The workers' user opens the file: this works in a folder of that user.
    Elsewhere the old file goes on, and the log has one line."""
    folder = os.path.join(place, "logs")
    path = os.path.join(folder, "access.log")
    os.mkdir(folder)
    more = {}
    if os.geteuid() == 0:
        shutil.chown(folder, "nobody")
        more["user"] = "nobody"
    d = start(drover, path, workers=3, **more)
    rotate(d, path, f"{path}.1")
    os.rename(path, f"{path}.2")
    os.chmod(folder, 0o555)
    d.signal(signal.SIGUSR1)
    d.wait_log(f"USR1: can't open {re.escape(path)} anew: Permission denied")
    for i in range(20):
        assert d.get(f"/{i}").status == 200
    wait_for(lambda: len(names(f"{path}.2")) == 20, "the old file goes on")
    assert not os.path.exists(path)
    assert d.count_log(" error ") == 1 and " warn " not in d.log()
    os.chmod(folder, 0o755)
    d.signal(signal.SIGUSR1)
    wait_moved(d, 6)
    assert d.get("/new").status == 200
    wait_for(lambda: names(path) == ["new"], "and written")


def test_nothing_to_reopen(drover):
    for access in ("off", "stdout"):
        d = drover(name=access, routes=[respond("/", "ok")],
                   log={"access": access})
        d.signal(signal.SIGUSR1)
        d.wait_log("USR1: there is no log file to open anew")
        assert d.get("/").status == 200
