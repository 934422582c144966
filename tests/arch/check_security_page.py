#!/usr/bin/python3
"""check_security_page.py ROOT: every fact that docs/security.md names is a test."""

import pathlib
import re
import sys

FACT = re.compile(r"`(\w+)\.(\w+)`")
CPP_TEST = re.compile(r"^TEST(?:_F|_P)?\(\s*(\w+),\s*(\w+)\s*\)", re.MULTILINE)
PYTHON_CLASS = re.compile(r"^class (\w+)\(.*?(?=^class |\Z)", re.MULTILINE | re.DOTALL)
# Names of tests that a table makes: setattr(Class, f"test_get_answered_by_{name}", ...).
MADE = re.compile(r"setattr\((\w+), f\"(test_\w+)\{name\}\"")


def facts_of(page):
    rows = [line for line in page.splitlines() if line.startswith("|")]
    return {fact for row in rows for fact in FACT.findall(row) if fact[0][0].isupper()}


def tests_under(folder):
    tests = set()
    for file in folder.rglob("*.cc"):
        tests.update(CPP_TEST.findall(file.read_text()))
    for file in folder.rglob("*_test.py"):
        text = file.read_text()
        for found in PYTHON_CLASS.finditer(text):
            tests.update((found[1], name) for name in re.findall(r"def (test_\w+)", found[0]))
        for name, prefix in MADE.findall(text):
            tests.update((name, prefix + case) for case in re.findall(r'^    "(\w+)":', text, re.M))
    return tests


def main():
    root = pathlib.Path(sys.argv[1])
    facts = facts_of((root / "docs/security.md").read_text())
    missing = facts - tests_under(root / "tests")
    for suite, name in sorted(missing):
        print(f"docs/security.md names {suite}.{name}, which is no test")
    if len(facts) < 20:
        print(f"docs/security.md names {len(facts)} facts only")
    return 1 if missing or len(facts) < 20 else 0


if __name__ == "__main__":
    sys.exit(main())
