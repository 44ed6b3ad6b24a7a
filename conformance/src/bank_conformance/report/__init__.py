"""What a run leaves behind: results as YAML and JSON, JUnit, HTML, a badge, and the histories."""

from .document import document
from .write import write_all, write_html, write_json, write_junit

__all__ = ["document", "write_all", "write_html", "write_json", "write_junit"]
