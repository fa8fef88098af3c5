#!/usr/bin/env python3
"""Sum the JUnit files below a folder: prints `N passed, N failed` (and what was skipped), exit 1 unless all that ran passed
and something ran. A file that cannot be read, because its run was cut off, counts as a failure."""
import pathlib
import sys
import xml.etree.ElementTree

passed = failed = skipped = 0
files = sorted(pathlib.Path(sys.argv[1]).rglob("*.xml"))
for file in files:
    try:
        cases = list(xml.etree.ElementTree.parse(file).iter("testcase"))
    except xml.etree.ElementTree.ParseError:
        failed += 1
        continue
    for case in cases:
        if case.find("failure") is not None or case.find("error") is not None:
            failed += 1
        elif case.find("skipped") is not None or case.get("status") in ("notrun", "disabled"):
            skipped += 1
        else:
            passed += 1
print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
sys.exit(0 if passed and not failed else 1)
