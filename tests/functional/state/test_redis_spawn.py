"""Goal: with redis.spawn a private Redis comes with the gateway, is restarted
when it dies, and stops with the gateway."""

import fcntl
import os
import re
import signal
import subprocess
import threading

import redis

from harness import DROVER, children, handler, is_alive, wait_for


def redis_pid(d):
    for pid in children(d.pid):
        try:
            with open(f"/proc/{pid}/comm", encoding="ascii") as f:
                if f.read().startswith("redis-server"):
                    return pid
        except (FileNotFoundError, ProcessLookupError):
            pass
    return None


def test_private_redis(drover):
    d = drover(workers=2, redis={"spawn": True},
               routes=[handler("/api/count", "count")])

    def counts():
        response = d.get("/api/count")
        return response.status == 200 and response.json()["count"]

    first = wait_for(counts, "the counter works")
    # On a unix socket, out of reach for other users.
    pid = redis_pid(d)
    socket = os.path.join(d.config["state_dir"], "redis.sock")
    assert pid and os.path.exists(socket)
    assert os.stat(socket).st_mode & 0o077 == 0
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: redis_pid(d) not in (None, pid), "a new one")
    again = wait_for(counts, "the counter works again")
    # The data was kept.
    assert again > first
    d.stop()
    assert not [p for p in (pid, redis_pid_in(d)) if p and is_alive(p)]


def redis_pid_in(d):
    """The last pid in the log."""
    pids = re.findall(r"helper started: redis-server, pid (\d+)", d.log())
    assert len(pids) == 2, d.log()
    return int(pids[-1])


def test_stop_while_it_is_down(drover, place):
    """Between two starts of a Redis that can't start: its files are torn."""
    files = os.path.join(place, "drover", "redis", "appendonlydir")
    os.makedirs(files)
    with open(os.path.join(files, "appendonly.aof.manifest"), "w",
              encoding="ascii") as f:
        f.write("torn\n")
    d = drover(redis={"spawn": True}, routes=[handler("/api/count", "count")])
    assert d.get("/api/count").status == 503
    deaths = d.count_log("helper died")
    wait_for(lambda: d.count_log("helper died") > deaths, "once more")
    d.stop()
    d.wait_log("stopped: ")


def test_it_outlives_a_killed_master(drover, place):
    """A hanging Redis keeps its files and its socket: until the process is gone
    no second Redis starts, and the message names the process."""
    d = drover(redis={"spawn": True}, routes=[handler("/api/count", "count")])
    workers = d.workers()
    pid = redis_pid(d)
    hang(os.path.join(d.config["state_dir"], "redis.sock"))
    try:
        d.kill()
        d.is_over = True
        for worker in workers:
            wait_for(lambda w=worker: not is_alive(w), f"{worker} ends")
        assert (f"redis-server of the drover that was pid {d.pid}" in
                one_error(d))
        assert "no drover runs" in one_error(d, "-s", "quit")
    finally:
        os.kill(pid, signal.SIGKILL)
    wait_for(lambda: is_free(d), "it ends")
    d = drover(redis={"spawn": True}, routes=[handler("/api/count", "count")])
    d.wait_redis()
    assert d.get("/api/count").status == 200


def hang(path):
    """In an endless script Redis hears neither commands nor TERM. (Not by
    SIGSTOP: the kernel continues stopped processes when their session's leader,
    the master, dies.)"""
    def run_for_ever():
        try:
            redis.Redis(unix_socket_path=path).eval("while true do end", 0)
        except redis.RedisError:
            pass  # the stop killed Redis

    def hangs():
        try:
            redis.Redis(unix_socket_path=path, socket_timeout=0.1).ping()
        except redis.TimeoutError:
            return True
        return False

    threading.Thread(target=run_for_ever, daemon=True).start()
    wait_for(hangs, "Redis hangs")


def is_free(d):
    path = os.path.join(d.config["state_dir"], "drover.pid")
    with open(path, encoding="ascii") as f:
        try:
            fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def one_error(d, *args):
    done = subprocess.run([DROVER, "-c", d.path, *args], timeout=10,
                          capture_output=True, text=True)
    assert done.returncode != 0
    assert len(done.stderr.splitlines()) == 1, done.stderr
    return done.stderr
