"""List the decisions on their start page, newest first, from the files themselves."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mkdocs.structure.pages import Page

FOLDER = Path(__file__).parent.parent / "internals" / "adr"
PLACE = "<!-- decisions -->"


def on_page_markdown(markdown: str, page: Page, **_: object) -> str:
    """Put the table where the start page asks for it."""
    if page.file.src_uri != "internals/adr/index.md":
        return markdown
    return markdown.replace(PLACE, table(sorted(FOLDER.glob("2*.md"), reverse=True)))


def table(files: list[Path]) -> str:
    """A row for each decision: the date its name begins with, and its title."""
    rows = [f"| {date(path)} | [{title(path)}]({path.name}) |" for path in files]
    return "\n".join(["| date | decision |", "|---|---|", *rows])


def date(path: Path) -> str:
    """`20261123-title.md` as 2026-11-23."""
    return f"{path.name[:4]}-{path.name[4:6]}-{path.name[6:8]}"


def title(path: Path) -> str:
    """The first line without its mark."""
    return path.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")
