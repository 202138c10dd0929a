"""The check of a bag in Python's standard library alone, from 3.9 on: what becomes ``verify.py``.

These modules import nothing but the standard library and one another. Put into one file they are
the program that goes into each bag, so that a stranger needs neither Folkmoot nor any package. The
ledger's own modules are a second, separate implementation of signatures and proofs: ``check_bag``
walks a bag with these modules and judges with those, and the tests hold the two against each other.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

PARTS = (
    "ed25519",
    "keys",
    "proving",
    "files",
    "manifests",
    "records",
    "spreadsheet",
    "page",
    "words",
    "captures",
    "examining",
    "cli",
)
"""The modules in the order in which they stand in the one file: each needs only earlier ones."""

_TOP = '''#!/usr/bin/env python3
"""Check a bag from a public body's record: python3 verify.py [BAG] [--key VKEY]...

Needs Python 3.9 or later and nothing else; uses no network; changes no file. It is made of parts,
each with a line of its own that says what it is for. README.txt in the bag says what is checked.
"""

from __future__ import annotations

'''
_END = """

if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:], __file__))
"""


@cache
def verifier_source() -> str:
    """The text of ``verify.py``: all parts in one file."""
    imports: set[str] = set()
    bodies = []
    for part in PARTS:
        source = Path(__file__).with_name(f"{part}.py").read_text(encoding="utf-8")
        lines = source.splitlines()
        dropped: set[int] = set()
        title = ""
        for place, node in enumerate(ast.parse(source).body):
            span = range(node.lineno - 1, node.end_lineno or node.lineno)
            if place == 0:
                title = (ast.get_docstring(ast.parse(source)) or "").replace("\n", "\n# ")
                dropped.update(span)
            elif isinstance(node, ast.Import | ast.ImportFrom):
                dropped.update(span)
                if isinstance(node, ast.Import) or (
                    node.level == 0 and node.module != "__future__"
                ):
                    imports.add(ast.unparse(node))
        body = "\n".join(line for at, line in enumerate(lines) if at not in dropped).strip("\n")
        rule = "# " + "-" * 70
        title = "\n".join(line.rstrip() for line in f"# {title}".splitlines())
        bodies.append(f"\n\n{rule}\n{title}\n{rule}\n\n{body}\n")
    return _TOP + "\n".join(sorted(imports)) + "\n" + "".join(bodies) + _END
