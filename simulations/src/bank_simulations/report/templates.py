"""The templates of all pages, and how they are read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined

if TYPE_CHECKING:
    from collections.abc import Callable

    from jinja2 import Template


def template(name: str, **filters: Callable[..., object]) -> Template:
    """The template of a page, with these filters; what it names and is not given is an error."""
    environment = Environment(
        loader=PackageLoader("bank_simulations", "report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(filters)
    return environment.get_template(name)
