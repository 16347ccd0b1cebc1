"""README.md's blocks of commands, run as a user types them."""

import re
import shlex

import stack

HEADING = re.compile(r"#+ (.*)")
# On a terminal jq and Compose colour their output.
COLOUR = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def blocks():
    """heading -> its blocks: indented lines, in order."""
    found, heading, block = {}, None, []
    for line in [*(stack.ROOT / "README.md").read_text().splitlines(), "#  "]:
        if line.startswith("    "):
            block.append(line[4:])
            continue
        if block:
            found.setdefault(heading, []).append("\n".join(block))
            block = []
        if is_heading := HEADING.match(line):
            heading = is_heading[1]
    return found


def block(heading, containing):
    """The block below a heading that is the words, or the only block that
    contains the words."""
    found = [text for text in blocks()[heading] if containing in text]
    (one,) = [text for text in found if text == containing] or found
    return one


def tried():
    """The commands of the first table that are whole lines to type."""
    text = (stack.ROOT / "README.md").read_text().replace(r"\|", "|")
    lines = re.findall(r"^\| `((?:curl|for) .*?)` \|", text, re.MULTILINE)
    assert len(lines) > 5
    return lines


def run(text, compose="docker compose", timeout=300):
    """Runs a block on a terminal; each line has to succeed. Returns the
    output."""
    script = "set -eo pipefail\n" + text.replace("docker compose", compose)
    shown = stack.shell(
        f"script -qec {shlex.quote('bash -c ' + shlex.quote(script))} /dev/null",
        timeout=timeout,
    )
    return COLOUR.sub("", shown).replace("\r", "")


def up(compose="docker compose"):
    """The first block, and then every container is healthy."""
    run(block("With containers", "up --build"), compose, 600)
    stack.await_healthy("api-gateway", 3)
    stack.await_healthy("direct-gateway", 1)
    stack.await_healthy("lb", 1)


class Walk:
    """The blocks of one stack, and the blocks already run."""

    def __init__(self, compose):
        self.compose = compose
        self.ran = set()

    def run(self, heading, containing, timeout=300):
        text = block(heading, containing)
        self.ran.add(text)
        return run(text, self.compose, timeout)

    def left(self, *headings):
        return [t for h in headings for t in blocks()[h] if t not in self.ran]
