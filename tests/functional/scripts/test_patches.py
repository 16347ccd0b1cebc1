"""Goal: a handler, a balancing policy and a stage are added by one row and one
file each, as ARCHITECTURE.md says: the patches of tests/patches do so, and
bring a test each, as a contributor would."""

import os
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[3]
PATCHES = sorted((ROOT / "tests" / "patches").glob("*.patch"))
COPIED = ["Makefile", "master", "scripts", "shared", "worker", "tests"]
# The code, the row and the test; a stage has a header, too.
FILES_MAX = {"handler": 3, "policy": 3, "stage": 4}


def run(*command, cwd, **environment):
    done = subprocess.run(
        command, cwd=cwd, env={**os.environ, **environment}, timeout=300,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        check=False)
    assert done.returncode == 0, done.stdout
    return done.stdout


def changed(patch):
    return re.findall(r"^\+\+\+ b/(\S+)", patch.read_text(), re.M)


def test_each_patch_is_small():
    assert [p.stem for p in PATCHES] == sorted(FILES_MAX)
    for patch in PATCHES:
        files = changed(patch)
        assert len(files) <= FILES_MAX[patch.stem], files


def test_each_patch_works(tmp_path):
    tree = tmp_path / "tree"
    ignored = shutil.ignore_patterns("node_modules", "__pycache__", "build")
    tree.mkdir()
    for name in COPIED:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        options = {"ignore": ignored} if copy is shutil.copytree else {}
        copy(ROOT / name, tree / name, **options)
    for patch in PATCHES:
        run("patch", "-p1", "--fuzz=0", "-i", patch, cwd=tree)
    # Quick to build: the patches are judged, not the optimiser.
    run("make", "-s", f"-j{os.cpu_count()}", "OPTIMIZE=-O1", "LTO=",
        cwd=tree)
    tests = [file for patch in PATCHES for file in changed(patch)
             if pathlib.Path(file).name.startswith("test_")]
    assert len(tests) == len(PATCHES)
    out = run(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider",
              *tests, cwd=tree, DROVER=str(tree / "build" / "drover"))
    assert f"{len(PATCHES)} passed" in out
