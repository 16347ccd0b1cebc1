"""The words of C comments: pronouns and pointers, openings, long sentences.

A pronoun or pointer is a word whose meaning stands elsewhere, in another place
of the sentence or of the file.
"""

import collections
import re

import sources

WORD = re.compile(r"[A-Za-z']+")
POINTERS = frozenset("""
    it its itself that this these those such
    what who whom whose which
    they them their theirs themselves he his him himself
    other others one ones both so there here
    """.split())
OPENING = re.compile(r"(?:What|Who|That|One that)\b", re.I)
# Shorter comments (NULL, a section's name) open nothing.
OPENING_WORDS = 5
# A sentence ends before a capital, and at an empty line.
SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[^a-z])|\n\s*\n")
LONG, TOO_LONG = 20, 32
GOAL = 0.06


class Count:
    """The counts of a file, or of many files."""

    def __init__(self):
        self.words = self.pointers = 0
        self.comments = self.openings = 0
        self.long = self.too_long = 0

    def add(self, other):
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)

    def share(self, part, whole):
        return 100 * getattr(self, part) / max(getattr(self, whole), 1)

    def surplus(self):
        """The distance to the goal in pointers, negative above the goal. A long
        file slightly above the goal sorts before a short file far above."""
        return GOAL * self.words - self.pointers


def count(text):
    """The counts of a source file's text."""
    c = Count()
    for comment in sources.comments(text):
        words = WORD.findall(comment)
        c.words += len(words)
        c.pointers += sum(word.lower() in POINTERS for word in words)
        if len(words) >= OPENING_WORDS:
            c.comments += 1
            c.openings += OPENING.match(comment) is not None
        for sentence in SENTENCE_END.split(comment):
            length = len(WORD.findall(sentence))
            c.long += length > LONG
            c.too_long += length > TOO_LONG
    return c


def line(name, c):
    print(f"{name:28} {c.words:7,} {c.share('pointers', 'words'):7.1f} % "
          f"{c.share('openings', 'comments'):7.1f} % {c.long:6} "
          f"{c.too_long:6}")


def report(tree, options):
    """Prints a line for each folder, the worst files, and the total."""
    files = {path: count(tree.read(path))
             for path in tree.paths(".c", ".h")}
    folders = collections.defaultdict(Count)
    total = Count()
    for path, c in files.items():
        folders[str(path.parent)].add(c)
        total.add(c)
    print(f"{'comments of':28} {'words':>7} {'pointers':>9} {'openings':>9} "
          f"{f'>{LONG}':>6} {f'>{TOO_LONG}':>6}")
    for name, c in sorted(folders.items()):
        line(name, c)
    worst = sorted(files, key=lambda path: files[path].surplus())
    for path in worst[:options.worst]:
        line(str(path), files[path])
    line("prose: all", total)
    return 0
