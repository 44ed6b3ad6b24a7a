"""What a run leaves behind: results as YAML and JSON, JUnit, HTML, a badge, and the histories."""

from .document import decided, document
from .text import lines
from .write import write_all, write_html, write_json, write_junit, write_text

__all__ = [
    "decided",
    "document",
    "lines",
    "write_all",
    "write_html",
    "write_json",
    "write_junit",
    "write_text",
]
