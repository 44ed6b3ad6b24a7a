"""JUnit XML, for the build servers that read it."""

from __future__ import annotations

from collections import Counter
from typing import Any
from xml.etree.ElementTree import Element, SubElement, indent, tostring

TAGS = {
    "FAIL": "failure",
    "STALE": "failure",
    "INCONCLUSIVE": "error",
    "SKIP": "skipped",
    "DISABLED": "skipped",
    "KNOWN": "skipped",
}


def junit(document: dict[str, Any]) -> str:
    """Return a run as one test suite with a test case for each requirement.

    FAIL and STALE are failures, INCONCLUSIVE an error; SKIP, DISABLED and KNOWN are skipped.
    """
    cases = document["requirements"]
    counts = Counter(TAGS.get(one["label"]) for one in cases)
    suite = Element(
        "testsuite",
        name=f"{document['suite']}: {document['target']['name']}",
        tests=str(len(cases)),
        failures=str(counts["failure"]),
        errors=str(counts["error"] + bool(document["invalid"])),
        skipped=str(counts["skipped"]),
        time=str(document["seconds"]),
        timestamp=document["started_at"],
    )
    if document["invalid"]:
        case = SubElement(suite, "testcase", classname="run", name="preflight")
        SubElement(case, "error", message=document["invalid"])
    for requirement in cases:
        _case(suite, requirement)
    indent(suite)
    return tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def _case(suite: Element, requirement: dict[str, Any]) -> None:
    case = SubElement(
        suite,
        "testcase",
        classname=f"bank-conformance.{requirement['id'].split('-')[0]}",
        name=f"{requirement['id']} {requirement['must']}",
        time=str(requirement["seconds"]),
    )
    if name := TAGS.get(requirement["label"]):
        problem = SubElement(case, name, message=_printable(requirement["reason"]))
        problem.text = _printable(_details(requirement))
    SubElement(case, "system-out").text = _printable(requirement["reason"])


def _details(requirement: dict[str, Any]) -> str:
    lines = [f"{one['expectation']}\n  {one['evidence']}" for one in requirement["findings"]]
    return "\n".join([*lines, f"reproduce: {requirement['reproduce']}"])


def _printable(text: str) -> str:
    """Return `text` without the control characters that XML has no way to write."""
    return "".join(c if c.isprintable() or c in "\n\t" else "\ufffd" for c in text)
