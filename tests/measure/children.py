"""Child programs, with all their descendants ended.

A mutant of a server may lose workers, or never end. Hence the kernel hands
orphans to this process, and this process ends all descendants.
"""

import contextlib
import ctypes
import os
import pathlib
import signal
import subprocess
import tempfile

PR_SET_CHILD_SUBREAPER = 36


def adopt_orphans():
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1) != 0:
        raise OSError(ctypes.get_errno(), "prctl: cannot adopt orphans")


def descendants(root):
    """The pids of all descendants of a process."""
    parents = {}
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = path.read_text(errors="replace").rpartition(")")[2].split()
            parents[int(path.parent.name)] = int(fields[1])
    found, todo = [], [root]
    while todo:
        parent = todo.pop()
        below = [pid for pid, its in parents.items() if its == parent]
        found += below
        todo += below
    return found


def end(pids):
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def end_all():
    """Kills descendants until none is left; not beside another run()."""
    while left := descendants(os.getpid()):
        end(left)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(-1, 0)


def run(argv, seconds, **kwargs):
    """(exit status, output); the status is None when the time was up."""
    # Not a pipe: an orphan might keep a pipe open.
    with tempfile.TemporaryFile() as output:
        with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=output,
                              stderr=subprocess.STDOUT, **kwargs) as process:
            try:
                status = process.wait(max(seconds, 0))
            except subprocess.TimeoutExpired:
                status = None
                end([process.pid, *descendants(process.pid)])
            except BaseException:  # the caller ends, and with it the child
                end([process.pid, *descendants(process.pid)])
                raise
        output.seek(0)
        return status, output.read().decode(errors="replace")
