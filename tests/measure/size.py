"""Functions over 60 lines and files over 500."""

import re

import sources

FUNCTION_LINES = 60
FILE_LINES = 500
# In the layout of `make format`: the name opens a line, a lone brace ends all.
FUNCTION = re.compile(r"^(\w+)\([^;{]*?\)\n\{\n.*?^\}$", re.M | re.S)


def functions(text):
    """(name, line, lines) of each function of a C file or header."""
    code = sources.code(text)
    for match in FUNCTION.finditer(code):
        yield (match[1], code.count("\n", 0, match.start()) + 1,
               match[0].count("\n") + 1)


def report(tree, options):
    """Prints each function and file above its limit. 1 for any long file, or
    for more long functions than allowed."""
    count = long_functions = long_files = 0
    for path in tree.paths(".c", ".h", ".lua"):
        text = tree.read(path)
        lines = text.count("\n")
        if lines > FILE_LINES:
            long_files += 1
            print(f"{path}: {lines} lines")
        if path.suffix == ".lua":
            continue
        for name, line, length in functions(text):
            count += 1
            if length > FUNCTION_LINES:
                long_functions += 1
                print(f"{path}:{line}: {name}: {length} lines")
    print(f"functions over {FUNCTION_LINES} lines: {long_functions} of {count}")
    print(f"files over {FILE_LINES} lines: {long_files}")
    return 1 if long_functions > options.functions or long_files else 0
