"""The target file: one small TOML file that describes a bank to the suite.

    [target]
    name = "our bank"
    base_url = "http://127.0.0.1:8000"

    [token]
    command = "./scripts/bank token --subject {subject} --scope {scope} --seconds {seconds}"

    [hooks]
    kill = "./scripts/hook kill"
    start = "./scripts/hook start"

A command runs in the folder of the target file. `[capabilities]` and `[limits]` may be left out:
what the bank offers is found by asking it. Without `[hooks]` nothing is decided that needs a bank
to be stopped, killed or looked into. `[faults]` is for `bank-simulations faults`: here only its
form is checked, so that one file describes the bank to both.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import msgspec

from .bank.routes import Route
from .command import Command, CommandError, words
from .hooks import NO_HOOKS, OPTIONAL, PLACEHOLDERS, CommandHooks, Hooks
from .mapping import Adapter, MappingError, adapter_for
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
    temporal: bool | None = None
    snapshots: bool | None = None
    statements: bool | None = None
    reports: bool | None = None
    fraud: bool | None = None
    receipts: bool | None = None
    proofs: bool | None = None
    legal_holds: bool | None = None
    # What every bank of the contract has; one of another shape may not (see `mapping`).
    keys: bool | None = None
    versions: bool | None = None
    numbers: bool | None = None
    filters: bool | None = None
    scopes: bool | None = None

    def offers(self, route: Route) -> bool:
        """Say whether the bank has an operation, as far as that is a matter of a capability."""
        return not route.capability or bool(getattr(self, route.capability))


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long the suite waits and how much it does.

    `time_scale` stretches every wait but the normative two seconds.
    """

    request_seconds: float = 10.0
    time_scale: float = 1.0
    settle_seconds: float = 5.0
    erasure_effective_seconds: float = 5.0
    erasure_resumed_seconds: float = 60.0
    proof_seconds: float = 5.0
    verification_seconds: float = 60.0
    expiry_leeway_seconds: float = 2.0
    visibility_transfers: int = 600
    visibility_rate: float = 50.0
    slow_request_seconds: float = 15.0
    body_bytes_max: int = 10_000_000
    hook_seconds: float = 60.0


class _Target(msgspec.Struct, forbid_unknown_fields=True):
    base_url: str
    replicas: list[str] = []
    name: str = ""
    currency: str = "EUR"
    staff_subject: str = "conformance"
    mapping: str = ""
    adapter: str = ""


class _Token(msgspec.Struct, forbid_unknown_fields=True):
    command: str | list[str]


class _Fault(msgspec.Struct, forbid_unknown_fields=True):
    begin: str | list[str]
    end: str | list[str] | None = None
    about: str = ""


class _File(msgspec.Struct, forbid_unknown_fields=True):
    target: _Target
    token: _Token
    capabilities: Capabilities = Capabilities()
    limits: Limits = Limits()
    hooks: dict[str, str | list[str]] = {}
    faults: dict[str, _Fault] = {}


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
    hooks: Hooks = NO_HOOKS
    replicas: tuple[str, ...] = ()
    """Where else the same bank serves: reads and writes work on each."""
    adapter: Adapter = field(default_factory=Adapter)
    """How this bank wants to be asked; as the contract says unless the file names another way."""
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
    _check_faults(file.faults)
    adapter = _adapter(file.target, path.resolve().parent)
    if file.hooks and not adapter.offers("ready"):
        cure = "add [operations.ready] with a path that is answered while the bank serves"
        raise TargetError(f"[target] mapping: [hooks] need to know when the bank is back: {cure}")
    return Target(
        name=file.target.name or base_url,
        base_url=base_url,
        minter=TokenCommand(arguments, path.resolve().parent),
        capabilities=file.capabilities,
        limits=file.limits,
        currency=file.target.currency,
        staff_subject=file.target.staff_subject,
        file=path,
        hooks=_hooks(file.hooks, path.resolve().parent, file.limits),
        replicas=tuple(_base_url(one, "replicas") for one in file.target.replicas),
        adapter=adapter,
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


def _base_url(given: str, name: str = "base_url") -> str:
    try:
        scheme = httpx.URL(given).scheme
    except httpx.InvalidURL as error:
        raise TargetError(f"{name} {given!r} is no URL: {error}") from None
    if scheme not in {"http", "https"}:
        raise TargetError(f"{name} {given!r} must begin with http:// or https://")
    return given.rstrip("/")


def _arguments(command: str | list[str]) -> tuple[str, ...]:
    arguments = _words("[token] command", command)
    _require("[token] command", arguments, {"subject", "scope"})
    return arguments


def _adapter(target: _Target, directory: Path) -> Adapter:
    try:
        return adapter_for(directory, target.mapping, target.adapter)
    except MappingError as error:
        raise TargetError(f"[target] mapping: {error}") from None


def _hooks(given: dict[str, str | list[str]], directory: Path, limits: Limits) -> CommandHooks:
    commands = {}
    for name, command in given.items():
        if name not in PLACEHOLDERS:
            known = ", ".join(PLACEHOLDERS)
            raise TargetError(f"[hooks] {name} is not known: there are {known}")
        what = f"[hooks] {name}"
        arguments = _words(what, command)
        _require(what, arguments, PLACEHOLDERS[name] - OPTIONAL)
        commands[name] = Command(what, arguments, directory, limits.hook_seconds)
    return CommandHooks(commands)


def _check_faults(given: dict[str, _Fault]) -> None:
    for name, fault in given.items():
        _words(f"[faults.{name}] begin", fault.begin)
        if fault.end is not None:
            _words(f"[faults.{name}] end", fault.end)


def _words(what: str, command: str | list[str]) -> tuple[str, ...]:
    try:
        return words(what, command)
    except CommandError as error:
        raise TargetError(str(error)) from None


def _require(what: str, arguments: tuple[str, ...], placeholders: Iterable[str]) -> None:
    for name in sorted(placeholders):
        if not any(f"{{{name}}}" in argument for argument in arguments):
            raise TargetError(f"{what} must contain {{{name}}}")


def _check_limits(limits: Limits) -> None:
    for name in limits.__struct_fields__:
        if getattr(limits, name) <= 0:
            raise TargetError(f"[limits] {name} must be greater than zero")
