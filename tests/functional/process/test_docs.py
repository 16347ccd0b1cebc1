"""Goal: docs/access-log.md has every field of a line, and every word for how a
request ends."""

import pathlib
import re

from test_access_log import NAMED, PLACED

ROOT = pathlib.Path(__file__).resolve().parents[3]
# An idle connection has no request and no line; a bad status is passed on as
# the service's response.
NEVER_SAID = {"idle", "evicted", "upstream_status"}


def test_every_field_and_word_of_the_access_log():
    first_cells = "\n".join(re.findall(
        r"^\|([^|]*)\|", (ROOT / "docs/access-log.md").read_text(), re.M))
    said = set(re.findall(r"`(\w+)`", first_cells))
    failures = re.findall(r'X\(\w+, \d{3}, "(\w+)"',
                          (ROOT / "worker/proxy/failure.h").read_text())
    for name in ("admission.c", "last_hop.c"):
        failures += re.findall(r'{\s*\d{3}, "(\w+)", "',
                               (ROOT / "worker/stages" / name).read_text())
    closes = re.findall(r'X\([A-Z_]+, "(\w+)", "',
                        (ROOT / "shared/http/stream_end.h").read_text())
    assert len(failures) > 10 and len(closes) > 10
    words = set(failures) | set(closes) - {"done"}
    assert said - {"end"} == (set(PLACED + NAMED) - {"end"} |
                              words - NEVER_SAID)
    assert "`done`" in (ROOT / "docs/access-log.md").read_text()
