"""Goal: scripts/measure finds circles, long functions and hard sentences in
sources made for that, wherever they lie below the three folders."""

import pathlib
import re
import subprocess

import pytest

ROOT = next(folder for folder in pathlib.Path(__file__).resolve().parents
            if (folder / "Makefile").exists())
MEASURE = ROOT / "scripts" / "measure"


class Sources:
    """A checkout with a few files, compiled as `make` does."""

    def __init__(self, root):
        self.root = pathlib.Path(root)

    def write(self, path, text):
        path = self.root / path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        if path.suffix != ".c":
            return
        obj = self.root / "build/obj" / path.relative_to(self.root)
        obj.parent.mkdir(parents=True, exist_ok=True)
        folders = [f"-I{folder}" for folder in self.root.glob("*/*")]
        subprocess.run(["gcc", *folders, "-c", "-o", obj.with_suffix(".o"),
                        path], check=True, timeout=60)

    def measure(self, *arguments):
        """(exit status, output)"""
        done = subprocess.run([MEASURE, *arguments, "--root", self.root],
                              timeout=60, text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
        return done.returncode, done.stdout


@pytest.fixture(name="files")
def fixture_files(place):
    return Sources(place)


def test_no_circle(files):
    files.write("shared/base/low.h", "int low_do(void);\n")
    files.write("shared/base/low.c",
                '#include "low.h"\nint low_do(void) { return 1; }\n')
    files.write("worker/high.c",
                "int low_do(void);\nint high_do(void) { return low_do(); }\n")
    assert files.measure("circles") == (0, "circles: 0\n")


def test_a_circle_of_calls(files):
    """No include says so: each declares what it calls."""
    files.write("worker/proxy/one.c",
                "void two_do(void);\nvoid one_do(void) { two_do(); }\n")
    files.write("worker/proxy/two.c",
                "void one_do(void);\nvoid two_do(void) { one_do(); }\n")
    status, output = files.measure("circles")
    assert status == 1
    assert ("worker/proxy/one -> two_do -> worker/proxy/two -> one_do -> "
            "worker/proxy/one\n") in output
    assert output.endswith("circles: 1\n")


def test_a_circle_of_includes(files):
    """A header's C file stands for it, in another folder too."""
    files.write("shared/http/two.h", "")
    files.write("shared/net/one.h", '#include "two.h"\n')
    files.write("shared/http/two.c", '/* #include "one.h" */\n')
    assert files.measure("circles") == (0, "circles: 0\n")
    files.write("shared/http/two.c", '#include "one.h"\n')
    status, output = files.measure("circles")
    assert status == 1
    assert re.search(r"^circle of 2 files, 2 arrows: "
                     r"shared/http/two shared/net/one$", output, re.M)


def test_a_hook_of_another_folder_is_no_circle(files):
    """What lies above may define what is called from below."""
    files.write("worker/request/low.h", "extern int (*const high_hook)(void);\n")
    files.write("worker/request/low.c", "extern int (*const high_hook)(void);\n"
                "int low_do(void) { return high_hook(); }\n")
    files.write("worker/process/high.c", "int low_do(void);\n"
                "int (*const high_hook)(void) = low_do;\n")
    assert files.measure("circles") == (0, "circles: 0\n")


def test_an_object_that_is_old(files):
    files.write("master/one.c", "int one_do(void) { return 1; }\n")
    (files.root / "build/obj/master/one.o").unlink()
    status, output = files.measure("circles")
    assert status == 2
    assert "master/one.o is missing or older than master/one.c" in output


@pytest.mark.parametrize("lines, status", [(60, 0), (61, 1)])
def test_long_functions(files, lines, status):
    body = "\tone++;\n" * (lines - 3)
    files.write("master/admin/one.c", "static int one;\n\nvoid one_do(void);\n\n"
                f"void\none_do(void)\n{{\n{body}}}\n")
    result, output = files.measure("size", "--functions", "0")
    assert result == status
    assert f"functions over 60 lines: {status} of 1\n" in output
    assert (f"one.c:6: one_do: {lines} lines" in output) == bool(status)


@pytest.mark.parametrize("lines, status", [(500, 0), (501, 1)])
def test_long_files(files, lines, status):
    files.write("shared/http/one.h", "\n" * lines)
    result, output = files.measure("size")
    assert result == status
    assert output.endswith(f"files over 500 lines: {status}\n")


def test_prose(files):
    """Five of twenty-five words point elsewhere; no string is a comment."""
    files.write("shared/base/one.h",
                '#define ONE "/* it it it it it */"\n'
                "/* What it says of them is so, for the caller that asks. */\n"
                "/*\n * The pool lends a connection to a request, and the pool\n"
                " * takes that one back.\n */\n")
    status, output = files.measure("prose", "--worst", "1")
    assert status == 0
    total = output.splitlines()[-1].split()
    words = 12 + 15
    pointers = 5 + 2  # What it them so that; that one
    assert total[:6] == ["prose:", "all", str(words),
                         f"{100 * pointers / words:.1f}", "%", "50.0"]
    assert "shared/base/one.h" in output


def test_long_sentences(files):
    words = " ".join(["word"] * 21)
    files.write("worker/one.h", f"/* {words}. Next one, of few words.\n"
                f" *\n * {words} {words} */\n")
    _, output = files.measure("prose")
    assert output.splitlines()[-1].split()[-2:] == ["2", "1"]


def test_no_such_figure(files):
    status, output = files.measure("beauty")
    assert status == 2
    assert "no such figure: beauty" in output
