"""Goal: 10,000 valid requests mean the same to a backend, and its responses
the same to a client, whether Drover or nginx stands between them."""

import json
import os
import random
import re
import shutil
import socket
import sys

import pytest

from harness import (TESTS, Process, Raw, free_port, in_parallel, parse_headers,
                     read_chunks, route, service, wait_for)

REQUESTS = 10000
SEED = 9112
THREADS = 8

CONFIG = """\
daemon off;
worker_processes 1;
pid {place}/nginx.pid;
error_log {place}/nginx-error.log;
events {{ worker_connections 256; }}
http {{
  access_log off;
  client_body_temp_path {place}/nginx-body;
  proxy_temp_path {place}/nginx-proxy;
  fastcgi_temp_path {place}/nginx-fastcgi;
  uwsgi_temp_path {place}/nginx-uwsgi;
  scgi_temp_path {place}/nginx-scgi;
  client_max_body_size 0;
  large_client_header_buffers 8 32k;
  underscores_in_headers on;
  ignore_invalid_headers off;
  upstream echo {{ server 127.0.0.1:{echo}; keepalive 32; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://echo;
      proxy_http_version 1.1;
      proxy_request_buffering off;
      proxy_set_header Host $http_host;
      proxy_set_header Connection "";
      proxy_buffer_size 32k;
      proxy_buffers 8 32k;
    }}
  }}
}}
"""

# Permitted differences, with reasons.
REQUEST_DIFFERENCES = {
    "via": "Drover signs what it forwards (RFC 9110 7.6.3), nginx does not",
    "x-forwarded-for": "Drover's own; nginx was not told to add it",
    "x-forwarded-proto": "likewise",
    "x-real-ip": "likewise",
    "x-request-id": "likewise",
    "traceparent": "likewise",
    "tracestate": "likewise",
    "connection": "of each hop",
    "content-length": "framing is each hop's; the body's hash is compared",
    "transfer-encoding": "likewise",
}
RESPONSE_DIFFERENCES = {
    "via": "as above",
    "server": "each names itself where the backend does not",
    "date": "made by who answers, at another second",
    "x-request-id": "Drover's own",
    "connection": "of each hop",
    "keep-alive": "of each hop",
    "content-length": "framing is each hop's; the body itself is compared",
    "transfer-encoding": "likewise",
}

# ---- requests ----
#
# Valid, and left out since nginx 1.22 has them otherwise: `OPTIONS *` and
# TRACE (refused), `.` and `..` segments (above the root: refused), targets in
# absolute-form ($http_host would be that of the field), fields that Connection
# names and trailers (the first forwarded, the second dropped), Expect
# (answered by itself), a tab before a value (made a part of it).

ALNUM = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
PCHAR = ALNUM + "-_~!$&'()*+,;=:@"
ESCAPES = ["%20", "%25", "%7E", "%c3%A9", "%41", "%2F", "%3f", "%23"]
TCHAR = ALNUM + "!#$%&'*+-.^_`|~"
VALUE = "".join(map(chr, [*range(0x20, 0x7f), 9, *range(0x80, 0x100)]))
METHODS = ["GET"] * 6 + ["HEAD", "POST", "POST", "PUT", "DELETE", "PATCH",
                         "OPTIONS", "PROPFIND"]
FRAMINGS = ["length"] * 4 + ["chunked"] * 4 + ["close", "204", "304"]


def text(rng, alphabet, most):
    return "".join(rng.choices(alphabet, k=rng.randint(0, most)))


def make_target(rng):
    target = ""
    for _ in range(rng.randint(1, 5)):
        target += "/" + text(rng, PCHAR, 12)
        if rng.random() < 0.3:
            target += rng.choice(ESCAPES)
        if rng.random() < 0.1:
            target += "." + text(rng, ALNUM, 3)
    # No segment of dots alone.
    target = "/".join("x" if s in (".", "..") else s
                      for s in target.split("/"))
    if rng.random() < 0.4:
        target += "?" + text(rng, PCHAR + "/?", 40)
    return target


def normal(target):
    """The form that Drover forwards, and that nginx is given: path.h."""
    def escape(match):
        octet = chr(int(match[1], 16))
        return octet if octet in ALNUM + "-._~" else match[0].upper()

    path, mark, query = target.partition("?")
    path = re.sub("//+", "/", re.sub("%(..)", escape, path))
    return path + mark + query


def make_fields(rng):
    for _ in range(rng.choice([0, 1, 3, 8, 40])):
        name = "q-" + text(rng, TCHAR, 20)
        pad = " " * rng.randint(0, 2)
        value = text(rng, VALUE, rng.choice([0, 5, 60])).strip(" \t")
        yield f"{name}:{pad}{value}{pad}"
    if rng.random() < 0.2:
        yield "Accept: */*"
        yield "User-Agent: x (y; z)"
        yield "Cookie: a=b; c=\"d\""
    if rng.random() < 0.1:
        yield "X-Twice: 1"
        yield "X-Twice: 2"


def make_body(rng, version):
    """Framing lines and the bytes behind the head."""
    kind = rng.choice(["none", "length", "chunked"])
    if kind == "none":
        return [], b""
    body = rng.randbytes(rng.choice([0, 1, 10, 1000, 1000, 20000]))
    if kind == "length" or version == "1.0":
        return [f"Content-Length: {len(body)}"], body
    out = bytearray()
    at = 0
    while at < len(body):
        size = rng.choice([1, 7, 255, 256, 4095, 9000])
        piece = body[at:at + size]
        extension = rng.choice([b"", b"", b";a", b";a=b", b';a="b c"'])
        digits = rng.choice([b"%x", b"%X", b"%05x"]) % len(piece)
        out += digits + extension + b"\r\n" + piece + b"\r\n"
        at += size
    return ["Transfer-Encoding: chunked"], bytes(out) + b"0\r\n\r\n"


class Case:
    def __init__(self, rng, number, last):
        self.method = rng.choice(METHODS)
        self.version = "1.0" if last and rng.random() < 0.3 else "1.1"
        lines = [f"X-Id: {number}", f"X-Framing: {rng.choice(FRAMINGS)}",
                 f"X-Times: {rng.choice([0, 1, 1, 3, 100])}"]
        framing, body = ([], b"")
        if self.method in ("POST", "PUT", "PATCH", "DELETE", "PROPFIND"):
            framing, body = make_body(rng, self.version)
        lines += [*framing, *make_fields(rng), "Host: shop.example:8080"]
        if last and self.version == "1.1":
            lines.append("Connection: close")
        rng.shuffle(lines)
        target = make_target(rng)
        fields = "\r\n".join(lines) + "\r\n\r\n"
        self.bytes, self.normal = (
            f"{self.method} {t} HTTP/{self.version}\r\n{fields}".encode(
                "latin-1") + body for t in (target, normal(target)))


def make_sequences():
    """The bytes of each connection: (pipelined, cases)."""
    rng = random.Random(SEED)
    made = 0
    while made < REQUESTS:
        count = min(rng.choice([1, 5, 20, 50]), REQUESTS - made)
        cases = [Case(rng, made + i, i == count - 1) for i in range(count)]
        made += count
        yield rng.random() < 0.5, cases


# ---- the two gateways ----


def listens(port, process):
    try:
        Raw(port).close()
    except ConnectionRefusedError:
        assert process.is_running(), process.log()
        return False
    return True


@pytest.fixture(name="run")
def fixture_run(place):
    """run(name, argv, port): a listening process, ended by ending()."""
    started = []

    def run(name, argv, port):
        process = Process(place, name, argv)
        started.append(process)
        wait_for(lambda: listens(port, process), f"{name} listens")
        return process

    yield run
    # Not killed: nginx's worker would stay.
    for process in started:
        process.popen.terminate()
        process.wait_exit()


def start_echo(run, place, name):
    port = free_port()
    script = os.path.join(TESTS, "functional", "echo_server.py")
    path = f"{place}/{name}.seen"
    process = run(name, [sys.executable, script, str(port), path], port)

    def seen():
        """The backend's view, by X-Id; the call ends the backend."""
        process.popen.terminate()
        assert process.wait_exit() == 0, process.log()
        with open(path, encoding="ascii") as f:
            requests = [json.loads(line) for line in f]
        by_id = {int(dict(map(tuple, r["headers"]))["x-id"]): r
                 for r in requests}
        # None was sent twice.
        assert len(by_id) == len(requests)
        return by_id

    return port, seen


def start_nginx(run, place, echo):
    program = shutil.which("nginx", path="/usr/sbin:/usr/bin:/sbin:/bin")
    port = free_port()
    path = f"{place}/nginx.conf"
    with open(path, "w", encoding="ascii") as f:
        f.write(CONFIG.format(place=place, port=port, echo=echo))
    run("nginx", [program, "-c", path, "-e", f"{place}/nginx-error.log"],
        port)
    return port


# ---- the client ----


def read_response(file, method):
    line = file.readline()
    assert line.startswith(b"HTTP/1.1 "), line
    lines = []
    while (field := file.readline()) != b"\r\n":
        assert field.endswith(b"\r\n"), field
        lines.append(field[:-2])
    pairs = parse_headers(lines)
    headers = dict(pairs)
    status = int(line.split()[1])
    body = b""
    if method == "HEAD" or status in (204, 304):
        pass
    elif "transfer-encoding" in headers:
        body, _ = read_chunks(file)
    elif "content-length" in headers:
        body = file.read(int(headers["content-length"]))
        assert len(body) == int(headers["content-length"])
    else:
        body = file.read()
    return line, pairs, body


def converse(port, form, pipelined, cases):
    with Raw(port, timeout=30) as c:
        c.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if not pipelined:
            for case in cases:
                c.send(form(case))
                yield read_response(c.file, case.method)
        else:
            # A few at a time: neither side's buffers are to fill.
            for i in range(0, len(cases), 5):
                c.send(b"".join(map(form, cases[i:i + 5])))
                for case in cases[i:i + 5]:
                    yield read_response(c.file, case.method)
        assert c.file.read(1) == b""


def ask_all(port, form, sequences):
    """The responses, in the order of the requests; form: a case's bytes."""
    answers = [None] * len(sequences)

    def work(thread):
        for i in range(thread, len(sequences), THREADS):
            answers[i] = list(converse(port, form, *sequences[i]))

    in_parallel(THREADS, work)
    return [response for some in answers for response in some]


def without(pairs, differences):
    """Ordered among fields of one name; the order of names is free."""
    return sorted(((n, v) for n, v in pairs if n not in differences),
                  key=lambda pair: pair[0])


def test_drover_and_nginx_agree(drover, run, place):
    echo_n, seen_by_nginx = start_echo(run, place, "echo-nginx")
    echo_d, seen_by_drover = start_echo(run, place, "echo-drover")
    nginx = start_nginx(run, place, echo_n)
    d = drover(services=[service("b", f"127.0.0.1:{echo_d}")],
               routes=[route("/", "b")], client={"body": "1m"})
    sequences = list(make_sequences())
    cases = [case for _, some in sequences for case in some]
    assert len(cases) == REQUESTS

    theirs = ask_all(nginx, lambda case: case.normal, sequences)
    ours = ask_all(d.port, lambda case: case.bytes, sequences)
    for case, (line, pairs, body), (line_n, pairs_n, body_n) in zip(
            cases, ours, theirs):
        assert line == line_n, case.bytes
        assert body == body_n, case.bytes
        assert without(pairs, RESPONSE_DIFFERENCES) == without(
            pairs_n, RESPONSE_DIFFERENCES), case.bytes

    ours, theirs = seen_by_drover(), seen_by_nginx()
    assert len(ours) == len(theirs) == REQUESTS
    for number, mine in ours.items():
        its = theirs[number]
        for what in ("method", "target", "body"):
            assert mine[what] == its[what], (mine, its)
        assert without(mine["headers"], REQUEST_DIFFERENCES) == without(
            its["headers"], REQUEST_DIFFERENCES)
