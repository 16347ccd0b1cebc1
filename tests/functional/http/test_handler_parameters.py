"""Goal: a misspelt parameter of a handler is not taken for its default: the
400 lists the right ones, and the manual has them."""

import os
import re

import pytest

from harness import ROOT, handler
from wire import gateway

ROUTES = [handler("/count", "count"), handler("/cpu", "cpu_bound"),
          handler("/metrics", "metrics"), handler("/health", "health"),
          handler("/page", "welcome"),
          {**handler("/mine", "health"), "query": ["debug"]}]


@pytest.fixture(name="d", scope="module")
def fixture_d():
    with gateway(routes=ROUTES) as d:
        yield d


@pytest.mark.parametrize("query, known", [
    ("/count?stat=memory", "state"), ("/cpu?MS=1", "ms, offload"),
    ("/cpu?ms=1&x", "ms, offload"), ("/metrics?state=memory", "none"),
    ("/health?%64ebug=1", "none"), ("/page?a=b", "none"),
    ("/mine?debug&x=1", "debug")])
def test_unknown_names(d, query, known):
    answer = d.get(query)
    assert answer.status == 400
    assert answer.json()["error"] == f"unknown parameter; known here: {known}"


@pytest.mark.parametrize("query, want", [
    ("/count?state=", "state must be redis or memory"),
    ("/count?state", "state must be redis or memory"),
    ("/count?state=Memory", "state must be redis or memory"),
    ("/cpu?ms=1&offload=yes", "offload must be true or false"),
    ("/cpu?ms", "ms must be 0 to 60000"),
    ("/cpu?ms=", "ms must be a number from 0 to 60000"),
    ("/cpu?ms=60001", "ms must be a number from 0 to 60000")])
def test_wrong_values(d, query, want):
    answer = d.get(query)
    assert answer.status == 400
    assert answer.json()["error"] == want


@pytest.mark.parametrize("query", [
    "/count?state=memory", "/cpu?ms=0", "/cpu?offload=true&ms=0",
    "/cpu?&ms=0&&offload=false&", "/health?", "/metrics?&", "/mine?debug",
    "/mine?debug=1"])
def test_known_ones(d, query):
    assert d.get(query).status == 200


def test_the_manual_has_all():
    with open(os.path.join(ROOT, "conf/README.md"), encoding="utf-8") as f:
        rows = re.findall(r"^\| `(\w+)` \| `(\w+)` \|.*\|.*\|.*\|$", f.read(),
                          re.M)
    assert rows == [("count", "state"), ("cpu_bound", "ms"),
                    ("cpu_bound", "offload")]
