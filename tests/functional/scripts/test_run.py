"""Goal: scripts/run does not take one of the demo's services for another."""

import os
import subprocess

import pytest

from harness import ROOT

RUN = os.path.join(ROOT, "scripts", "run")


@pytest.mark.parametrize("ports", [
    {"PORT": "3002"}, {"ADMIN_PORT": "3003"},
    {"PORT": "9180", "ADMIN_PORT": "9180"}])
def test_a_port_for_two(ports):
    """Said before anything is installed, built or started."""
    done = subprocess.run([RUN], env={**os.environ, **ports}, timeout=10,
                          capture_output=True, text=True)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1, done.stderr
    port = next(iter(ports.values()))
    assert f"run: port {port} is wanted twice" in done.stderr
