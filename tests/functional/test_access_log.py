"""Goal: the access log says what happened to every request, and never gets in
the way."""

import os
import re

import pytest

from harness import Raw, handler, respond, wait_for

GET = "GET {} HTTP/1.1\r\nHost: a\r\n\r\n"


def lines(path):
    with open(path, encoding="ascii") as f:
        return f.read().splitlines()


def test_a_line_per_request(drover, place):
    path = os.path.join(place, "access.log")
    d = drover(routes=[respond("/", "ok"), handler("/cpu", "cpu_bound"),
                       respond("/late", "ok", delay="10s")],
               log={"access": path}, workers=1)
    assert d.get('/a?b="c').status == 200
    assert d.get("/cpu?ms=40").status == 200
    with Raw(d.port) as client:
        client.send("nonsense\r\n\r\n")
        client.rest()
    with Raw(d.port) as client:
        client.send(GET.format("/late"))
        d.wait_in_flight(1)
    wait_for(lambda: len(lines(path)) == 4, "all lines are there")
    first, cpu, bad, gone = lines(path)
    assert re.fullmatch(r'127\.0\.0\.1 \S+Z "GET /a\?b=\\x22c" 200 4 '
                        r'0\.\d{6}', first)
    assert float(cpu.split()[-1]) >= 0.04
    assert ' "-" 400 ' in bad
    assert re.search(r' "GET /late" 499 0 \d+\.\d{6} cut$', gone)


@pytest.mark.parametrize("access", ["/nonexistent/dir/a.log", "/tmp"])
def test_one_that_can_not_be_written(drover, access):
    d = drover(routes=[respond("/", "ok")], log={"access": access},
               ready=False)
    assert d.wait_exit() == 78
    assert re.search(rf"drover\.yaml:\d+: log\.access: can't write {access}: ",
                     d.log())
    assert "started" not in d.log()
    d.is_over = True
