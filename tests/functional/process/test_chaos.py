"""Goal: a minute of backends that break off, stall, lie and talk nonsense at
every byte, and of clients that are no better: no response goes to the wrong
client or is passed off as whole, no worker dies, and nothing is left behind.

DROVER_CHAOS_SECONDS: for how long, 60 by default; every position of a response
is cut at once in any case.
"""

import hashlib
import itertools
import os
import random
import re
import threading
import time

from harness import Raw, route, service, wait_for

SECONDS = float(os.environ.get("DROVER_CHAOS_SECONDS", "60"))
SEED = 1969
CLIENTS = 16
WORKERS = 4
READ_TIMEOUT = "150ms"

# ---- messages ----


def body_of(token, size):
    """Every part of a token's text, short or long, names the token."""
    unit = hashlib.sha256(token.encode()).hexdigest().encode()
    return (unit * (size // len(unit) + 1))[:size]


def response_of(token, size, framing):
    body = body_of(token, size)
    head = f"HTTP/1.1 200 OK\r\nX-Token: {token}\r\n"
    if framing == "length":
        head += f"Content-Length: {size}\r\n"
    elif framing == "chunked":
        head += "Transfer-Encoding: chunked\r\n"
        step = size // 3 + 1
        pieces = [body[at:at + step] for at in range(0, size, step)]
        body = b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in pieces)
        body += b"0\r\n\r\n"
    else:
        head += "Connection: close\r\n"
    return head.encode() + b"\r\n" + body


SHORT = 40  # bytes of body, cut at each position
FRAMINGS = ["length", "chunked"]
FINE = ["fine", "split", "interim", "until-close", "drip"]
CUTS = ["reset", "close", "garbage", "stall"]
LIES = ["too-long", "too-short", "two-heads", "two-answers", "no-answer",
        "nonsense", "no-length"]


class Mood:
    """X-Mood tells the backend the fault to produce."""

    def __init__(self, name, framing="length", size=SHORT, at=0):
        self.name, self.framing, self.size, self.at = name, framing, size, at

    def __str__(self):
        return f"{self.name} {self.framing} {self.size} {self.at}"

    @classmethod
    def parse(cls, text):
        name, framing, size, at = text.split()
        return cls(name, framing, int(size), int(at))


def every_position():
    """Of a response in each framing, each way of breaking off."""
    for framing in FRAMINGS:
        length = len(response_of("0" * 12, SHORT, framing))
        for name in CUTS:
            for at in range(length):
                yield Mood(name, framing, SHORT, at)


def any_mood(rng):
    name = rng.choice(FINE * 4 + CUTS[:3] * 3 + LIES * 2 + ["stall"])
    size = rng.choice([0, 1, SHORT, 1000, 16384, 100000])
    if name == "drip":
        size = SHORT
    framing = rng.choice(FRAMINGS)
    length = len(response_of("0" * 12, size, framing))
    return Mood(name, framing, size, rng.randrange(length))


# ---- the backend ----


class Chaos:
    def __init__(self):
        self.faults = []
        self.done = set()  # moods, as text, that were carried out
        self.pause = threading.Event()  # never set

    def handle(self, connection):
        while (request := connection.read_request()) is not None:
            token = request.headers["x-token"]
            if request.body not in (b"", body_of(token, len(request.body))):
                self.faults.append(f"a body that is not {token}'s")
            mood = Mood.parse(request.headers["x-mood"])
            self.done.add(request.headers["x-mood"])
            if not self.answer(connection, mood, token, request.method):
                return

    def answer(self, connection, mood, token, method):
        """False: the connection ends."""
        data = response_of(token, mood.size, mood.framing)
        if method == "HEAD":
            data = data[:data.index(b"\r\n\r\n") + 4]
        act = getattr(self, "do_" + mood.name.replace("-", "_"))
        return act(connection, mood, data, token)

    def do_fine(self, connection, mood, data, token):
        connection.send(data)
        return True

    def do_split(self, connection, mood, data, token):
        rng = random.Random(token)
        at = 0
        while at < len(data):
            step = rng.choice([1, 2, 17, 5000])
            connection.send(data[at:at + step])
            at += step
        return True

    def do_drip(self, connection, mood, data, token):
        for i in range(0, len(data), 4):
            connection.send(data[i:i + 4])
            self.pause.wait(0.001)
        return True

    def do_interim(self, connection, mood, data, token):
        connection.send(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + data)
        return True

    def do_until_close(self, connection, mood, data, token):
        connection.send(response_of(token, mood.size, "close"))
        return False

    def do_reset(self, connection, mood, data, token):
        connection.send(data[:mood.at])
        connection.reset()
        return False

    def do_close(self, connection, mood, data, token):
        connection.send(data[:mood.at])
        return False

    def do_stall(self, connection, mood, data, token):
        connection.send(data[:mood.at])
        connection.file.read()  # until the gateway has had enough
        return False

    def do_garbage(self, connection, mood, data, token):
        rng = random.Random(token)
        # No byte that could be a byte of an honest body.
        noise = bytes(rng.choices(range(0x80, 0x100), k=50))
        connection.send(data[:mood.at] + noise)
        return False

    def do_nonsense(self, connection, mood, data, token):
        connection.send(random.Random(token).randbytes(300))
        return False

    def do_too_long(self, connection, mood, data, token):
        """More than was announced, and the connection stays open."""
        connection.send(data + b"more" + data)
        return True

    def do_too_short(self, connection, mood, data, token):
        head, _, body = data.partition(b"\r\n\r\n")
        connection.send(head.replace(b"Length: ", b"Length: 9") +
                        b"\r\n\r\n" + body[:len(body) // 2])
        return False

    def do_two_heads(self, connection, mood, data, token):
        head = data[:data.index(b"\r\n\r\n") + 4]
        connection.send(head + data)
        return True

    def do_two_answers(self, connection, mood, data, token):
        connection.send(data + response_of("f" * 12, SHORT, "length"))
        return True

    def do_no_answer(self, connection, mood, data, token):
        return False

    def do_no_length(self, connection, mood, data, token):
        connection.send(f"HTTP/1.1 200 OK\r\nX-Token: {token}\r\n"
                        "Content-Length: 5x\r\n\r\nhello")
        return True


# ---- the clients ----


class Asked:
    def __init__(self, rng, token, mood):
        self.token, self.mood = token, mood
        self.method = rng.choice(["GET"] * 4 + ["HEAD", "POST", "PUT"])
        if mood.name not in FINE and self.method == "HEAD":
            self.method = "GET"  # about bodies
        lines = (f"{self.method} /c HTTP/1.1\r\nHost: a\r\n"
                 f"X-Token: {token}\r\nX-Mood: {mood}\r\n")
        body = b""
        if self.method in ("POST", "PUT"):
            body = body_of(token, rng.choice([0, 10, 30000]))
            if rng.random() < 0.5 and body:
                lines += "Transfer-Encoding: chunked\r\n"
                body = b"%x;a=b\r\n%s\r\n0\r\nX-T: 1\r\n\r\n" % (
                    len(body), body)
            else:
                lines += f"Content-Length: {len(body)}\r\n"
        self.bytes = lines.encode() + b"\r\n" + body

    def check(self, response):
        """A whole response is the request's own or an error of Drover's."""
        if response.status != 200:
            assert response.status in (502, 503, 504), (str(self.mood),
                                                        response)
            assert self.token not in str(response.headers)
            return
        assert response.headers["x-token"] == self.token, str(self.mood)
        if self.mood.name == "two-heads":
            # The second head is the beginning of the first one's body.
            want = response_of(self.token, self.mood.size, self.mood.framing)
            assert response.body == want[:self.mood.size]
        elif self.method != "HEAD":
            self.check_body(response.body)

    def check_body(self, body):
        want = body_of(self.token, self.mood.size)
        assert len(body) == len(want), (str(self.mood), len(body))
        if self.mood.name == "garbage":
            # In place of a body's bytes, no reader can tell them apart.
            body = bytes(w if b >= 0x80 else b for b, w in zip(body, want))
        assert body == want, str(self.mood)


class Customer:
    """A thread's connections, one after the other."""

    def __init__(self, port, number, moods, end):
        self.port, self.moods, self.end = port, moods, end
        self.rng = random.Random(SEED + number)
        self.number = number
        self.count = itertools.count()
        self.connection = None
        self.whole = {name: 0 for name in FINE + CUTS + LIES}
        self.asked = dict(self.whole)

    def run(self):
        while True:
            batch = [self.next_one()
                     for _ in range(self.rng.choice([1] * 8 + [3]))]
            batch = [asked for asked in batch if asked is not None]
            if not batch:
                break
            self.talk(batch)
        self.leave()

    def next_one(self):
        mood = self.moods.take()
        if mood is None:
            if time.monotonic() > self.end:
                return None
            mood = any_mood(self.rng)
        token = f"{self.number:04x}{next(self.count):08x}"
        self.asked[mood.name] += 1
        return Asked(self.rng, token, mood)

    def talk(self, batch):
        if self.connection is None:
            self.connection = Raw(self.port, timeout=10)
        try:
            self.connection.send(b"".join(asked.bytes for asked in batch))
            if self.rng.random() < 0.02:
                self.leave()
                return
            for asked in batch:
                response = self.read(asked)
                if response is None:
                    self.leave()
                    return
                asked.check(response)
                self.whole[asked.mood.name] += response.status == 200
                if response.headers.get("connection") == "close":
                    self.leave()
                    return
        except ConnectionError:
            self.leave()

    def read(self, asked):
        """None: the response was cut short."""
        try:
            response = self.connection.response(asked.method == "HEAD")
            while response.status == 103:
                response = self.connection.response(asked.method == "HEAD")
            return response
        except TimeoutError:
            raise
        except OSError:
            return None
        except AssertionError as e:
            assert "cut short" in str(e), (str(asked.mood), e)
            return None

    def leave(self):
        if self.connection is None:
            return
        if self.rng.random() < 0.3:
            self.connection.reset()
        else:
            self.connection.close()
        self.connection = None


class Moods:
    """Moods that must all be carried out: a request that never got to the
    backend is made again."""

    def __init__(self, done):
        self.done = done
        self.all = {str(mood) for mood in every_position()}
        self.round = iter(sorted(self.all))
        self.lock = threading.Lock()

    def take(self):
        with self.lock:
            text = next(self.round, None)
            if text is None:
                self.round = iter(sorted(self.all - self.done))
                text = next(self.round, None)
            return text and Mood.parse(text)


# ---- leftovers ----


def descriptors(pids):
    return [len(os.listdir(f"/proc/{pid}/fd")) for pid in pids]


def left_over(d):
    """Every gauge of work in hand that is not 0."""
    page = d.admin("/metrics").body.decode()
    return re.findall(r"^(drover_(?:connections|\w*in_flight|\w*in_use|"
                      r"\w*waiting)(?:\{.*\})? (?!0$).*)$", page, re.M)


def test_chaos(drover, backend):
    chaos = Chaos()
    d = drover(workers=WORKERS, routes=[route("/", "b")],
               log={"level": "error"},
               services=[service("b", backend(chaos.handle, 1024).address,
                                 backend(chaos.handle, 1024).address,
                                 timeouts={"read": READ_TIMEOUT},
                                 pool={"idle": "500ms"})])
    pids = d.workers()
    before = descriptors(pids)

    moods = Moods(chaos.done)
    customers = [Customer(d.port, i, moods, time.monotonic() + SECONDS)
                 for i in range(CLIENTS)]
    errors = []

    def serve(customer):
        try:
            customer.run()
        except BaseException as e:  # pylint: disable=broad-except
            errors.append(e)
        finally:
            customer.leave()

    threads = [threading.Thread(target=serve, args=(c,)) for c in customers]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    if errors:
        raise errors[0]

    asked = {n: sum(c.asked[n] for c in customers) for n in customers[0].asked}
    whole = {n: sum(c.whole[n] for c in customers) for n in customers[0].asked}
    print("\nasked:", asked, "\nwhole:", whole)
    assert not chaos.faults, chaos.faults[:3]
    assert moods.all <= chaos.done
    # No worker died.
    assert d.workers() == pids
    assert not d.cluster()["deaths"]
    # Unharmed requests were served, and harmed ones were not passed off as
    # whole.
    for name in FINE:
        assert whole[name] > asked[name] / 2, (name, asked, whole)
    for name in ("reset", "close", "stall", "too-short", "nonsense",
                 "no-answer", "no-length"):
        assert whole[name] == 0, (name, asked, whole)

    # No work is left over.
    for key in ("connections", "inFlight"):
        wait_for(lambda k=key: all(w[k] == 0
                                   for w in d.cluster()["workers"]),
                 f"{key} are back to 0: {d.cluster()['workers']}")
    for name in ("buffers_in_use", "service_requests_in_flight"):
        assert f"\ndrover_{name}{{" in d.admin("/metrics").body.decode()
    wait_for(lambda: not left_over(d), f"gauges are 0: {left_over(d)}")
    wait_for(lambda: descriptors(pids) == before,
             f"descriptors are back to {before}: {descriptors(pids)}")
