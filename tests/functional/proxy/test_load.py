"""Goal: 50 connections for ten seconds through gateway and service, and every
answer is a 200."""

import json
import os
import shutil
import subprocess

import pytest

from harness import TESTS, respond, route, service

LOAD = os.path.join(TESTS, "load")
AUTOCANNON = os.path.join(LOAD, "node_modules", ".bin", "autocannon")


@pytest.fixture(name="autocannon")
def fixture_autocannon():
    if not os.path.exists(AUTOCANNON):
        npm = shutil.which("npm")
        if npm is None or subprocess.run(
                [npm, "ci", "--silent", "--no-audit", "--no-fund"], cwd=LOAD,
                timeout=120, check=False).returncode != 0:
            pytest.fail("no autocannon: npm ci in tests/load fails here")
    return AUTOCANNON


def test_no_errors(drover, autocannon):
    users = drover(name="users", workers=1, routes=[
        respond("/users", [{"id": 1, "name": "Alice"},
                           {"id": 2, "name": "Bob"}])])
    d = drover(name="gateway", services=[
        service("users", f"127.0.0.1:{users.port}")],
        routes=[route("/api/users", "users", rewrite="/users")])
    done = subprocess.run(
        [autocannon, "-c", "50", "-d", "10", "--json",
         f"http://127.0.0.1:{d.port}/api/users"],
        capture_output=True, text=True, timeout=60, check=True)
    result = json.loads(done.stdout)
    assert result["errors"] == 0 and result["timeouts"] == 0
    assert result["non2xx"] == 0
    assert result["2xx"] > 1000
    assert d.service("users")["failures"] == 0
    assert d.total("requests") >= result["2xx"]
