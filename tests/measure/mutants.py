"""Small changes of C code; tests should notice each change.

The kinds: an inverted condition, a comparison with or without its bound, a
constant 1 higher or lower (true for false), a removed call. No change touches a
CHECK() or CONFINED(), a log line, or a call that only frees.
"""

import collections
import difflib
import random
import re

import size
import sources

# replacement goes to text[start:end] of the file, inside the function.
Mutant = collections.namedtuple(
    "Mutant", "path line function kind start end replacement")

COMPARISONS = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=",
               "!=": "=="}
COMPARISON = re.compile(r"(?<=\s)(?:[<>]=?|[!=]=)(?=\s)")
CONDITION = re.compile(r"\b(?:if|while) (\()")
JUNCTION = re.compile(r"&&|\|\|")
CONSTANT = re.compile(r"\b(?:true|false|(?:0[xX][\da-fA-F]+|\d+)(?=[uUlL]*\b))")
CALL = re.compile(r"(?<=\n)\t+(?:\(void\))?(\w+)(\()")
QUIET = r"(?:CHECK|CONFINED|static_assert|fatal|log_\w+)"
QUIET_CALL = re.compile(rf"\b{QUIET}(\()")
# A removed free only leaks; the sanitized tests see leaks.
FREES = r"(?:\w+_)?free(?:_\w+)?|json_decref"
NOT_LEFT_OUT = re.compile(rf"{QUIET}|{FREES}|va_end|va_start|abort|_?exit|if|"
                          r"for|while|switch|return|sizeof")
QUIET_BODY = re.compile(r"\)\s*(?:\{\s*)?log_\w+\(")
ARRAY = re.compile(r"\n\t+(?:static |const |struct |unsigned )*\w+ \*?\w+"
                   r"(\[[^\];=]*\])+")


def closing(code, start):
    """The offset of the closing parenthesis for the parenthesis at start."""
    depth = 0
    for i in range(start, len(code)):
        depth += {"(": 1, ")": -1}.get(code[i], 0)
        if depth == 0:
            return i
    return len(code)


def quiet_spans(code):
    """The spans without changes."""
    for match in QUIET_CALL.finditer(code):
        yield match.start(), closing(code, match.start(1))
    for match in CONDITION.finditer(code):
        end = closing(code, match.start(1))
        if QUIET_BODY.match(code, end):
            yield match.start(), end
    for match in ARRAY.finditer(code):
        yield match.span()


def changes(code):
    """(kind, start, end, replacement) of each change of a text, quiet or not."""
    for match in CONDITION.finditer(code):
        start, end = match.start(1) + 1, closing(code, match.start(1))
        yield "condition", start, end, f"!({code[start:end]})"
    for match in JUNCTION.finditer(code):
        yield ("condition", *match.span(),
               "||" if match[0] == "&&" else "&&")
    for match in COMPARISON.finditer(code):
        yield "comparison", *match.span(), COMPARISONS[match[0]]
    for match in CONSTANT.finditer(code):
        if match[0] in ("true", "false"):
            yield ("constant", *match.span(),
                   "false" if match[0] == "true" else "true")
            continue
        value = int(match[0], 0) if not re.fullmatch(r"0\d+", match[0]) else \
            int(match[0], 8)
        yield "constant", *match.span(), str(value + 1)
        if value > 0:
            yield "constant", *match.span(), str(value - 1)
    for match in CALL.finditer(code):
        end = closing(code, match.start(2)) + 1
        if code[end:end + 1] == ";" and not NOT_LEFT_OUT.fullmatch(match[1]):
            start = match.end() - len(match[0].lstrip("\t"))
            yield "call", start, end, ""


def mutants_of(path, text):
    code = sources.code(text)
    for function in size.FUNCTION.finditer(code):
        first, last = function.span()
        # Blanks keep the offsets of the file.
        body = re.sub(r"[^\n]", " ", code[:first]) + code[first:last]
        opened = code.index("{", function.end(1))
        quiet = list(quiet_spans(body))
        for kind, start, end, replacement in changes(body):
            if start < opened or any(a < end and start < b for a, b in quiet):
                continue
            # From the file's text: strings are blank in the code.
            if replacement.startswith("!("):
                replacement = f"!({text[start:end]})"
            yield Mutant(path, code.count("\n", 0, start) + 1, function[1],
                         kind, start, end, replacement)


def draw(tree, seed, within=""):
    """All mutants below a path, or at path:line, in the order of the seed, with
    equal chances for each kind."""
    by_kind = collections.defaultdict(list)
    for path in tree.paths(".c"):
        for mutant in mutants_of(path, tree.read(path)):
            if f"{path}:{mutant.line}:".startswith(
                    within + ":" if ":" in within else within):
                by_kind[mutant.kind].append(mutant)
    generator = random.Random(seed)
    for _, mutants in sorted(by_kind.items()):
        generator.shuffle(mutants)
    while by_kind:
        kind = generator.choice(sorted(by_kind))
        yield by_kind[kind].pop()
        if not by_kind[kind]:
            del by_kind[kind]


def applied(mutant, text):
    return text[:mutant.start] + mutant.replacement + text[mutant.end:]


def diff(mutant, text):
    """The change as lines of - and +."""
    lines = difflib.unified_diff(text.splitlines(),
                                 applied(mutant, text).splitlines(), n=0,
                                 lineterm="")
    return [line for line in lines if not line.startswith(("---", "+++", "@@"))]
