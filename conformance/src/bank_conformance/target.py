"""The target file: one small TOML file that describes a bank to the suite.

    [target]
    name = "our bank"
    base_url = "http://127.0.0.1:8000"

    [token]
    command = "./scripts/bank token --subject {subject} --scope {scope} --seconds {seconds}"

A command runs in the folder of the target file. `[capabilities]` and `[limits]` may be left out:
what the bank offers is found by asking it.
"""

from __future__ import annotations

import shlex
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import msgspec

from .tokens import Minter, TokenCommand


class TargetError(Exception):
    """The target file cannot be used; the text names the cure."""


class Capabilities(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the bank offers beyond accounts and transfers; None: found out by asking."""

    feed: bool | None = None
    holds: bool | None = None
    freezes: bool | None = None
    batches: bool | None = None
    erasure: bool | None = None


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long the suite waits and how much it does.

    `time_scale` stretches every wait but the normative two seconds.
    """

    request_seconds: float = 10.0
    time_scale: float = 1.0
    settle_seconds: float = 5.0
    erasure_effective_seconds: float = 5.0
    expiry_leeway_seconds: float = 2.0
    visibility_transfers: int = 600
    visibility_rate: float = 50.0


class _Target(msgspec.Struct, forbid_unknown_fields=True):
    base_url: str
    name: str = ""
    currency: str = "EUR"
    staff_subject: str = "conformance"


class _Token(msgspec.Struct, forbid_unknown_fields=True):
    command: str | list[str]


class _File(msgspec.Struct, forbid_unknown_fields=True):
    target: _Target
    token: _Token
    capabilities: Capabilities = Capabilities()
    limits: Limits = Limits()


@dataclass(frozen=True, slots=True)
class Target:
    """A bank to be decided."""

    name: str
    base_url: str
    minter: Minter
    capabilities: Capabilities = field(default_factory=Capabilities)
    limits: Limits = field(default_factory=Limits)
    currency: str = "EUR"
    staff_subject: str = "conformance"
    file: Path | None = None
    mints_short_tokens: bool = True
    """Whether the lifetime of a token can be chosen, so that one can be let expire."""


def load_target(path: Path) -> Target:
    """Read a target file.

    Raises:
        TargetError: it is missing, is no TOML, or says something the suite does not understand.
    """
    file = _decode(_read(path))
    base_url, arguments = _base_url(file.target.base_url), _arguments(file.token.command)
    _check_limits(file.limits)
    return Target(
        name=file.target.name or base_url,
        base_url=base_url,
        minter=TokenCommand(arguments, path.resolve().parent),
        capabilities=file.capabilities,
        limits=file.limits,
        currency=file.target.currency,
        staff_subject=file.target.staff_subject,
        file=path,
        mints_short_tokens=any("{seconds}" in argument for argument in arguments),
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise TargetError(
            f"no target file {path}: write one with `bank-conformance init`"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise TargetError(f"cannot read {path}: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise TargetError(f"{path} is not TOML: {error}") from None


def _decode(data: dict[str, Any]) -> _File:
    try:
        return msgspec.convert(data, _File)
    except msgspec.ValidationError as error:
        raise TargetError(f"the target file is not understood: {error}") from None


def _base_url(given: str) -> str:
    try:
        scheme = httpx.URL(given).scheme
    except httpx.InvalidURL as error:
        raise TargetError(f"base_url {given!r} is no URL: {error}") from None
    if scheme not in {"http", "https"}:
        raise TargetError(f"base_url {given!r} must begin with http:// or https://")
    return given.rstrip("/")


def _arguments(command: str | list[str]) -> tuple[str, ...]:
    try:
        arguments = tuple(shlex.split(command) if isinstance(command, str) else command)
    except ValueError as error:
        raise TargetError(f"[token] command cannot be split into words: {error}") from None
    for placeholder in ("{subject}", "{scope}"):
        if not any(placeholder in argument for argument in arguments):
            raise TargetError(f"[token] command must contain {placeholder}")
    return arguments


def _check_limits(limits: Limits) -> None:
    for name in limits.__struct_fields__:
        if getattr(limits, name) <= 0:
            raise TargetError(f"[limits] {name} must be greater than zero")
