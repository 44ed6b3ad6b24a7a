"""A badge: what a run found, in the space of a button."""

from __future__ import annotations

from typing import Any
from xml.sax.saxutils import escape

COLOURS = {0: "#2e7d4f", 1: "#b3372f", 3: "#8a6d1b", 4: "#5f6672"}
CHARACTER_WIDTH, PADDING = 6.6, 8


def badge(document: dict[str, Any]) -> str:
    """Return an SVG badge with the verdict and how many requirements passed."""
    passed = document["counts"].get("PASS", 0)
    right = f"{document['verdict']} {passed}/{len(document['requirements'])}"
    left = "bank conformance"
    a, b = (round(len(text) * CHARACTER_WIDTH + 2 * PADDING) for text in (left, right))
    colour = COLOURS[document["exit_code"]]
    title = escape(f"{left}: {right}")
    style = "font-family='Verdana,sans-serif' font-size='11' fill='#fff' text-anchor='middle'"
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{a + b}' height='20' role='img'>"
        f"<title>{title}</title><clipPath id='r'><rect width='{a + b}' height='20' rx='3'/>"
        f"</clipPath><g clip-path='url(#r)'><rect width='{a}' height='20' fill='#3c4350'/>"
        f"<rect x='{a}' width='{b}' height='20' fill='{colour}'/></g><g {style}>"
        f"<text x='{a / 2}' y='14'>{left}</text>"
        f"<text x='{a + b / 2}' y='14'>{escape(right)}</text></g></svg>\n"
    )
