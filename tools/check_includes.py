#!/usr/bin/env python3
"""Prints includes that cross the layers the wrong way, and fails if there are any.

A folder under src/ is a module. Everybody may include base and loop; otherwise only what the table names.
Tests (*_test.c, *_test.h) keep to the same table, but for those of the switch, which derive decisions again (sim/replay.h). src/*/main.c may include everything.
"""
import re
import sys
from pathlib import Path

BUSINESS = {"people", "crm", "campaign", "report"}
MAY = {
    "base": set(),
    "number": {"base"},
    "loop": {"base"},
    "db": set(),
    "trace": set(),
    "sip": {"trace"},
    "hear": {"base"},
    "media": {"hear"},
    "http": set(),
    "resource": {"db", "find", "journal"},  # journal: the centre's zone
    "sheet": {"base"},
    "find": {"db"},
    "journal": {"db"},
    "call": {"sip", "media"},
    "acd": {"base"},
    "dialer": {"base"},
    "ivr": {"base"},
    "switch": {"number", "hear", "call", "acd", "dialer", "ivr", "journal", "sip", "media", "db"},
    "api": {"number", "hear", "dialer", "find", "trace", "http", "resource", "sheet", "journal", "db", "switch"} | BUSINESS,
    "sim": {"acd", "dialer", "ivr", "sip", "media", "journal", "db", "people", "resource"},
    "app": None,    # wires everything
}
for name in BUSINESS:
    MAY[name] = {"resource", "db", "journal", "find"}
MAY["campaign"] |= {"people", "number"}    # people/ gives it its tables by name only (people/declared.h)
MAY["people"] |= {"number", "switch"}     # only the structs of the configuration that it makes
TESTS_MAY = {"switch": {"sim"}}
PURE = {"base", "number", "loop", "acd", "dialer", "ivr", "sheet", "hear"}     # no free base and loop: only what the table says
MODULE = re.compile(r'^\s*#\s*include\s+"([a-z0-9_]+)/([^"]+)"')
SYSTEM = re.compile(r"^\s*#\s*include\s+<(re|rem|microhttpd|sqlite3|libpq-fe)(\.h|/[^>]*)>")
# Whose public headers may be seen where: nothing above sip and media sees libre, nothing above http libmicrohttpd, ...
# The simulated network is a peer of its own and uses libre directly, not our layers over it.
OWNERS = {"re": {"loop", "sip", "media", "sim"}, "rem": {"media", "sim"}, "microhttpd": {"http"}, "sqlite3": {"db"}, "libpq-fe": {"db"}}


def allowed(module, target):
    may = MAY[module]
    if may is None or target == module:
        return True
    if target in ("base", "loop") and module not in PURE:
        return True
    return target in may


def check(path, module):
    for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
        m = MODULE.match(line)
        if m and m.group(1) in MAY and not allowed(module, m.group(1)):
            if m.group(1) == "base" and m.group(2) == "test.h":
                continue
            if path.stem.endswith("_test") and m.group(1) in TESTS_MAY.get(module, ()):
                continue
            yield f"{path}:{number}: {module} may not include {m.group(1)}/{m.group(2)}"
        m = SYSTEM.match(line)
        if m and module not in OWNERS[m.group(1)] and not path.name.endswith("_test.c"):
            yield f"{path}:{number}: <{m.group(1)}> is used only by {', '.join(sorted(OWNERS[m.group(1)]))}"


def main():
    src = Path(__file__).resolve().parent.parent / "src"
    wrong, files = [], 0
    for path in sorted(src.rglob("*.[ch]*")):
        module = path.relative_to(src).parts[0]
        files += 1
        if module not in MAY:
            wrong.append(f"{path}: module {module} is not in the table of tools/check_includes.py")
        elif path.name != "main.c":
            wrong += check(path, module)
    print("\n".join(wrong) if wrong else f"{files} files, all includes follow the layers")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
