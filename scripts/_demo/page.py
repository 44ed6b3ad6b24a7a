"""The demo's report: one file that needs neither a network nor a script."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bank_simulations.report import load_page
from jinja2 import Environment, FileSystemLoader, StrictUndefined

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .checks import Check

HERE = Path(__file__).parent


def render(checks: Sequence[Check], load: dict[str, Any] | None, facts: dict[str, str]) -> str:
    """The page; `load` is the document of the load run, where there was one."""
    environment = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    return environment.get_template("page.html.j2").render(
        checks=checks,
        held=sum(check.passed for check in checks),
        charts=load_page.charts(load) if load else {},
        title=load["title"] if load else "",
        facts=facts,
        style=resources.files("bank_simulations.report").joinpath("page.css").read_text(),
    )
