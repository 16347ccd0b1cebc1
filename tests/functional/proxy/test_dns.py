"""Goal: changes of a name's DNS records take effect under load without a failed
request; a broken name server has no effect."""

import re
import socket
import threading

import pytest

import samples
from backends import deaf
from name_server import A, AAAA, SERVFAIL, NameServer, ResolvConf, loopback
from harness import respond, route, service, wait_for

NAME = "replicas.test"


def named(name, seen):
    def handle(connection):
        while connection.read_request() is not None:
            seen.append(name)
            connection.reply(name)
    return handle


class Load:
    """Requests on four connections until stopped."""

    def __init__(self, d):
        self.d = d
        self.statuses = []
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self._run) for _ in range(4)]
        for t in self.threads:
            t.start()

    def _run(self):
        with self.d.client() as c:
            while not self.over.is_set():
                self.statuses.append(c.get("/").status)

    def wait_more(self, count):
        at = len(self.statuses)
        wait_for(lambda: len(self.statuses) >= at + count, "more requests")

    def stop(self):
        self.over.set()
        for t in self.threads:
            t.join()
        return set(self.statuses)


class Scene:
    """A name server, replicas at addresses with one port, and a gateway."""

    def __init__(self, place, drover, backend, count, workers=2, **more):
        hosts, self.port = loopback(count + 2)
        self.dns_hosts, self.hosts = hosts[:2], hosts[2:]
        try:
            self.dns = NameServer(self.dns_hosts[0])
        except PermissionError:
            pytest.skip("port 53 is not ours to bind")
        self.resolv_conf = ResolvConf(place, self.dns.host)
        self.launcher = self.resolv_conf.launcher()
        if self.launcher is None:
            pytest.skip("mount namespaces are not allowed here")
        self.seen = []
        self.backends = [backend(named(h, self.seen), port=self.port, host=h)
                         for h in self.hosts]
        self.drover = drover
        self.workers = workers
        self.more = more

    def start(self, *hosts):
        self.dns.zone[NAME] = list(hosts)
        self.d = self.drover(
            launcher=self.launcher,
            routes=[route("/", "s"), respond("/own", {})],
            services=[service("s", f"{NAME}:{self.port}", **self.more)],
            workers=self.workers)
        return self.d

    def wait_used(self, *hosts):
        """Only the listed endpoints get requests from now on."""
        def exactly():
            del self.seen[:]
            for _ in range(12):
                assert self.d.get("/").status == 200
            return set(self.seen) == set(hosts)
        wait_for(exactly, f"exactly {hosts} are used: {self.seen}")

    def wait_asked(self, count):
        at = self.dns.asked()
        wait_for(lambda: self.dns.asked() >= at + count, "name server asked")


@pytest.fixture
def scene(place, drover, backend):
    scenes = []

    def make(*args, **kwargs):
        scenes.append(Scene(place, drover, backend, *args, **kwargs))
        return scenes[-1]

    yield make
    for s in scenes:
        s.dns.stop()


def test_replicas_come_and_go_under_load(scene):
    s = scene(3)
    one, two, three = s.hosts
    d = s.start(one, two)
    load = Load(d)
    wait_for(lambda: {one, two} <= set(s.seen), "both are used")
    assert three not in s.seen
    # An endpoint joins.
    s.dns.zone[NAME] = [three, two, one]
    asked = s.dns.asked()
    wait_for(lambda: three in s.seen, "the new one is used")
    # Each of two workers asks each second, whatever the TTL; it was not
    # overlooked.
    assert s.dns.asked() - asked <= 4
    wait_for(lambda: d.count_log("1 joined, 0 left") == 2,
             "both workers know the new one")
    # An endpoint leaves, and stops once without requests.
    s.dns.zone[NAME] = [three, two]
    wait_for(lambda: d.count_log("0 joined, 1 left") == 2,
             "both workers know")
    load.wait_more(20)
    del s.seen[:]
    load.wait_more(200)
    assert set(s.seen) == {two, three}
    s.backends[0].stop()
    load.wait_more(200)
    assert load.stop() == {200}
    assert d.total("upstream_retries") == 0


def test_the_metrics_list_who_is_there(scene):
    s = scene(2)
    one, two = s.hosts
    d = s.start(one, two)

    def wait_listed(*hosts):
        def exactly():
            listed = samples.read(d).all("drover_endpoint_up")
            return ({dict(labels)["endpoint"] for labels in listed} ==
                    {f"{host}:{s.port}" for host in hosts})
        wait_for(exactly, f"exactly {hosts} are listed")

    wait_listed(one, two)
    s.dns.zone[NAME] = [two]
    wait_listed(two)
    s.dns.zone[NAME] = [two, one]
    wait_listed(one, two)
    # A successor lists the endpoints anew.
    d.kill_worker(0)
    wait_listed(one, two)


def test_requests_in_flight_end_as_they_would(scene):
    s = scene(2)
    arrived, release = threading.Event(), threading.Event()

    def slow(connection):
        while connection.read_request() is not None:
            arrived.set()
            release.wait(10)
            connection.reply("slow")

    s.backends[0].handle = slow
    d = s.start(s.hosts[0])
    answers = []
    held = threading.Thread(target=lambda: answers.append(d.get("/")))
    held.start()
    assert arrived.wait(10)
    s.dns.zone[NAME] = [s.hosts[1]]
    wait_for(lambda: d.count_log("1 joined, 1 left") == 2,
             "both workers know")
    s.wait_used(s.hosts[1])
    release.set()
    held.join()
    assert answers[0].body == b"slow"
    # And the connection is not kept.
    wait_for(lambda: not s.backends[0].open, "no connection is left")


def test_connecting_to_an_address_that_leaves(scene, backend):
    """The one that is left gets the request."""
    s = scene(2, timeouts={"connect": "2s"})
    gone, left = s.hosts
    s.backends[0].stop()
    with deaf(gone, s.port):
        d = s.start(gone)
        answers = []
        held = threading.Thread(target=lambda: answers.append(d.get("/")))
        held.start()
        wait_for(lambda: d.total("upstream_connects") == 1, "it connects")
        s.dns.zone[NAME] = [left]
        wait_for(lambda: d.count_log("1 joined, 1 left") == 2,
                 "both workers know")
        assert not answers
        held.join()
    assert answers[0].status == 200
    assert answers[0].body == left.encode()


@pytest.mark.parametrize("broken,late", [
    ("silent", ()),
    ({A: SERVFAIL, AAAA: SERVFAIL}, ()),
    # The last answer says that no IPv6 address exists; alone, the answer would
    # mean no address at all.
    ({A: SERVFAIL}, (AAAA,)),
    ({A: SERVFAIL}, ()),
])
def test_a_failing_name_server_changes_nothing(scene, broken, late):
    s = scene(3)
    s.dns.late = late
    d = s.start(*s.hosts[:2])
    load = Load(d)
    wait_for(lambda: set(s.hosts[:2]) <= set(s.seen), "both are used")
    s.dns.zone[NAME] = [s.hosts[2]]
    s.dns.broken = broken
    d.wait_log(rf"service s: {re.escape(NAME)}: .*; 2 addresses in use")
    s.wait_asked(6)
    del s.seen[:]
    load.wait_more(100)
    assert set(s.seen) == set(s.hosts[:2])
    # Said once by each worker, not each second.
    assert d.count_log("2 addresses in use") <= 2
    s.dns.broken = None
    s.wait_used(s.hosts[2])
    assert load.stop() == {200}


def test_ipv6(scene, backend):
    s = scene(1)
    try:
        backend(named("::1", s.seen), port=s.port, host="::1")
    except OSError:
        pytest.skip("no IPv6 here")
    s.start("::1")
    s.wait_used("::1")
    s.dns.zone[NAME] = ["::1", s.hosts[0]]
    s.wait_used("::1", s.hosts[0])
    s.dns.zone[NAME] = [s.hosts[0]]
    s.wait_used(s.hosts[0])


@pytest.mark.parametrize("broken", [A, AAAA])
@pytest.mark.parametrize("late", [A, AAAA])
def test_what_is_not_known_of_one_family_changes_nothing(scene, backend,
                                                         broken, late):
    """The known addresses of the other type stay in use."""
    s = scene(2)
    try:
        backend(named("::1", s.seen), port=s.port, host="::1")
    except OSError:
        pytest.skip("no IPv6 here")
    s.dns.late = (late,)
    d = s.start("::1", s.hosts[0])
    s.wait_used("::1", s.hosts[0])
    s.dns.broken = {broken: SERVFAIL}
    # A new IPv4 address in each case; in one case no answer has it.
    s.dns.zone[NAME] = ["::1", *s.hosts] if broken == A else s.hosts
    d.wait_log(rf"service s: {re.escape(NAME)}: .*; \d addresses in use")
    s.wait_asked(2)
    s.wait_used("::1", *s.hosts[:1 if broken == A else 2])
    s.dns.zone[NAME] = [s.hosts[1]]
    s.dns.broken = None
    s.wait_used(s.hosts[1])


def everywhere(seen):
    """A backend at every address, which notes its own."""
    def handle(connection):
        while connection.read_request() is not None:
            seen.append(connection.sock.getsockname()[0])
            connection.reply("ok")
    return handle


def many(s, count, net=0):
    """Addresses with the backend's port, of the scenario's own net."""
    head = s.hosts[0].split(".")[1]
    return [f"127.{head}.{100 + net + i // 250}.{1 + i % 250}"
            for i in range(count)]


def ask(d, count):
    with d.client() as c:
        assert {c.get("/").status for _ in range(count)} == {200}


# Of the last, IPv6 has too many as well, and none of them is the lowest.
@pytest.mark.parametrize("count,mixed,used,warnings", [
    (100, 0, 100, 0),
    (1000, 0, 1000, 0),
    (1024, 0, 1024, 0),
    (1500, 0, 1024, 1),
    (1100, 1100, 1024, 1),
])
def test_many_addresses(scene, backend, count, mixed, used, warnings):
    s = scene(1, workers=1)
    s.backends[0].stop()
    s.seen = []
    backend(everywhere(s.seen), port=s.port, host="0.0.0.0", backlog=4096)
    hosts = many(s, count)
    d = s.start(*hosts, *(f"fd00::{i:x}" for i in range(1, 1 + mixed)))
    ask(d, used)
    lowest = sorted(hosts, key=socket.inet_aton)[:used]
    assert set(s.seen) == set(lowest)
    # The same set in another order is no change.
    s.wait_asked(3)
    ask(d, used)
    assert len(s.seen) == 2 * used and set(s.seen) == set(lowest)
    assert d.count_log(r"joined, ") == 1
    assert d.count_log("is left out") == warnings
    if warnings:
        d.wait_log(rf"{re.escape(NAME)} has {count + mixed} addresses; the "
                   rf"lowest {used} are used")


def test_addresses_come_and_go_among_many(scene, backend):
    s = scene(1, workers=1)
    s.backends[0].stop()
    backend(everywhere(s.seen), port=s.port, host="0.0.0.0", backlog=4096)
    hosts = many(s, 1500)
    d = s.start(*hosts)
    d.wait_log("1024 are used")
    # The lowest is gone: another takes its place, and no other moves.
    s.dns.zone[NAME] = hosts[1:]
    d.wait_log("1499 addresses, 1 joined, 1 left")
    s.dns.zone[NAME] = hosts[:1000]
    d.wait_log("1000 addresses, 1 joined, 25 left")
    s.dns.zone[NAME] = hosts
    d.wait_log("1500 addresses, 24 joined, 0 left")
    assert d.count_log("is left out") == 2


def test_a_family_that_fails_keeps_its_place_among_many(scene, backend):
    """The known addresses of IPv4 stay, though IPv6 has enough for all."""
    s = scene(1, workers=1)
    s.backends[0].stop()
    backend(everywhere(s.seen), port=s.port, host="0.0.0.0", backlog=4096)
    hosts = many(s, 700)
    d = s.start(*hosts)
    ask(d, 700)
    s.dns.broken = {A: SERVFAIL}
    s.dns.zone[NAME] += [f"fd00::{i:x}" for i in range(1, 1200)]
    d.wait_log("324 joined, 0 left")


def test_a_name_that_is_gone_for_a_while(scene):
    s = scene(1)
    d = s.start(s.hosts[0])
    assert d.get("/").status == 200
    del s.dns.zone[NAME]
    wait_for(lambda: d.get("/").status == 502, "it is gone")
    s.dns.zone[NAME] = [s.hosts[0]]
    wait_for(lambda: d.get("/").status == 200, "it is back")


def test_other_name_servers(scene):
    """/etc/resolv.conf changes: Drover asks the new servers."""
    s = scene(2)
    d = s.start(s.hosts[0])
    assert d.get("/").status == 200
    other = NameServer(s.dns_hosts[1])
    try:
        other.zone[NAME] = [s.hosts[1]]
        s.resolv_conf.write(other.host)
        s.wait_used(s.hosts[1])
        wait_for(lambda: d.count_log("list of name servers has changed") == 2,
                 "both workers have noticed")
        del s.dns.queries[:]
        at = other.asked()
        wait_for(lambda: other.asked() >= at + 4, "it is asked again")
        assert not s.dns.queries
    finally:
        other.stop()


def test_other_name_servers_when_the_first_are_silent(scene):
    """Queries under way end at their own timeout, no sooner; new queries do not
    wait for the old."""
    s = scene(1)
    s.dns.broken = "silent"
    d = s.start(s.hosts[0])
    wait_for(s.dns.asked, "it has asked")
    other = NameServer(s.dns_hosts[1])
    try:
        other.zone[NAME] = [s.hosts[0]]
        s.resolv_conf.write(other.host)
        wait_for(lambda: d.get("/").status == 200, "it is found")
    finally:
        other.stop()


def test_a_lookup_does_not_block(scene):
    """Meanwhile the same worker answers other requests."""
    s = scene(1)
    s.dns.broken = "silent"
    d = s.start(s.hosts[0])
    answers = []
    waits = [threading.Thread(target=lambda: answers.append(d.get("/")))
             for _ in range(4)]
    for w in waits:
        w.start()
    d.wait_in_flight(4)
    for _ in range(50):
        assert d.get("/own").status == 200
    assert not answers
    s.dns.broken = None
    for w in waits:
        w.join()
    # In time, or with an error: no request hangs.
    assert {a.status for a in answers} <= {200, 502}
