"""Goal: Redis takes every Lua script of the source, and a worker loads just
these texts."""

import hashlib
import pathlib

import pytest
from redis import ResponseError

from harness import handler

ROOT = pathlib.Path(__file__).resolve().parents[3]
SCRIPTS = sorted((ROOT / "worker").rglob("*.lua"))


def test_redis_takes_each(redis):
    client = redis().client
    assert SCRIPTS
    for path in SCRIPTS:
        try:
            client.script_load(path.read_text(encoding="utf-8"))
        except ResponseError as e:
            pytest.fail(f"{path.relative_to(ROOT)}: {e}")


def test_what_a_worker_loads_is_the_source(drover, redis):
    r = redis()
    drover(redis={"url": r.url},
           routes=[handler("/api/count", "count")]).wait_redis()
    shas = {path.name: hashlib.sha1(path.read_bytes()).hexdigest()
            for path in SCRIPTS}
    known = r.client.script_exists(*shas.values())
    assert dict(zip(shas, known)) == dict.fromkeys(shas, True)
