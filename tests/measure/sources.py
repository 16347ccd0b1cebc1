"""The C sources of the program, split into code and comments."""

import re

FOLDERS = ("shared", "master", "worker")

# In C's order of precedence: the token that begins first wins.
TOKEN = re.compile(r"""
    (?P<comment> /\*.*?\*/ | //[^\n]*)
  | (?P<string> "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*')
  """, re.X | re.S)


class Tree:
    """A checkout of the project, in any layout of the folders."""

    def __init__(self, root):
        self.root = root

    def paths(self, *suffixes):
        """All sources with one of the suffixes, relative to the root."""
        return sorted(path.relative_to(self.root) for folder in FOLDERS
                      for path in (self.root / folder).rglob("*")
                      if path.suffix in suffixes)

    def read(self, path):
        return (self.root / path).read_text(encoding="utf-8")


def blank(text):
    """The text with spaces for all but its line ends."""
    return re.sub(r"[^\n]", " ", text)


def code(text, keep_strings=False):
    """The text with blanks for comments and strings; offsets stay."""
    def replace(match):
        if keep_strings and match["string"] is not None:
            return match[0]
        return blank(match[0])

    return TOKEN.sub(replace, text)


def comments(text):
    """Each comment's words as one line of text, without the stars."""
    for match in TOKEN.finditer(text):
        if match["comment"] is None:
            continue
        body = re.sub(r"^/[*/]|\*/$", "", match[0])
        yield re.sub(r"\s*\n\s*\*? ?", "\n", body).strip()
