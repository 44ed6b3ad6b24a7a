"""The mapping file: one TOML file that says how a bank of another shape is asked.

    decimals = 2                        # how many digits of an amount are minor units
    lacks = ["keys", "versions"]        # what the bank has nothing of, so that nothing rests on it

    [words.type]                        # vocabularies: the bank's word = the contract's, or back
    deposit = "CASH_DEPOSIT"

    [operations.getAccount]             # what has no table here is not offered
    path = "/accounts/{@path.account_id}"
    answer = { account_id = "{id}", booked_minor = "{balance|minor}", version = 1 }

    [[errors]]                          # the first that fits makes the problem
    where = { error = "insufficient funds" }
    code = "insufficient-funds"
    status = 422

Templates are explained in `templates`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec

from bank_conformance.bank.routes import ROUTES
from bank_conformance.history import BAD_REQUEST

from .adapter import MappingError
from .templates import check

Lack = Literal["keys", "versions", "numbers", "filters", "scopes"]


class Key(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the idempotency key goes, and the header that marks a repeated answer."""

    header: str = ""
    member: str = ""
    replayed: str = ""


class OperationMap(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How one operation of the contract is asked and read; what is left out stays as it is.

    `path`, `query` and `body` are made from the contract's request, `answer` from the bank's
    answer, or from each item of the list that stands at `items`.
    """

    path: str
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE", ""] = ""
    query: dict[str, Any] = {}
    headers: dict[str, str] = {}
    body: Any = None
    answer: Any = None
    answer_like: str = ""
    """Another operation whose answer looks the same."""
    statuses: dict[int, int] = {}
    items: str | None = None
    """The member that holds a list; "" for an answer that is one."""
    paging: Literal["whole", "cursor", "offset"] = "whole"
    next: str = ""
    """For pages with a cursor: the template of the next one."""
    newest_first: bool = False
    """For lists that come whole: whether the last item is the oldest."""


class ErrorMap(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an answer of the bank means: the first whose conditions all hold counts."""

    code: str
    status: int
    answered: int | None = None
    where: dict[str, Any] = {}
    """Members of the answer and their values."""
    has: list[str] = []
    """Members that the answer has, whatever they are."""
    operations: list[str] = []

    def fits(self, route: str, status: int, body: Any) -> bool:
        """Say whether this is what an answer means."""
        if self.operations and route not in self.operations:
            return False
        if status != self.answered if self.answered else status < BAD_REQUEST:
            return False
        members = body if isinstance(body, Mapping) else {}
        told = all(members.get(name) == value for name, value in self.where.items())
        return told and all(name in members for name in self.has)


class MappingFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A mapping file as it was read."""

    operations: dict[str, OperationMap]
    decimals: int = 2
    lacks: list[Lack] = []
    unknown_account: str | None = None
    key: Key | None = None
    words: dict[str, dict[str, Any]] = {}
    errors: list[ErrorMap] = []


def load_mapping(path: Path) -> MappingFile:
    """Read a mapping file.

    Raises:
        MappingError: it is missing, is no TOML, or says something the suite does not understand.
    """
    try:
        file = msgspec.convert(_read(path), MappingFile, str_keys=True)
        _check(file)
    except msgspec.ValidationError as error:
        raise MappingError(f"{path.name} is not understood: {error}") from None
    except MappingError as error:
        raise MappingError(f"{path.name}: {error}") from None
    return file


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise MappingError("no such file beside the target file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise MappingError(f"cannot be read: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise MappingError(f"is not TOML: {error}") from None


def _check(file: MappingFile) -> None:
    if file.decimals < 0:
        raise MappingError("decimals must not be negative")
    if "keys" not in file.lacks and file.key is None:
        raise MappingError('say where the idempotency key goes in [key], or add lacks = ["keys"]')
    if file.key is not None and bool(file.key.header) == bool(file.key.member):
        raise MappingError("[key] takes a header or a member, one of the two")
    for name in file.operations:
        _check_operation(name, file)
    for error in file.errors:
        for name in error.operations:
            _known(f"[[errors]] {error.code}", name)
        if not (error.where or error.has):
            raise MappingError(
                f"[[errors]] {error.code} fits every answer: say which with where or has"
            )


def _check_operation(name: str, file: MappingFile) -> None:
    where, operation = f"[operations.{name}]", file.operations[name]
    _known(where, name)
    if operation.answer_like and operation.answer_like not in file.operations:
        raise MappingError(f"{where} answer_like: there is no [operations.{operation.answer_like}]")
    if not operation.path.startswith("/"):
        raise MappingError(f"{where} path must begin with /")
    if operation.paging == "cursor" and not operation.next:
        raise MappingError(f'{where} paging = "cursor" needs next, the template of the next cursor')
    if operation.items is None and (operation.next or operation.newest_first):
        raise MappingError(f"{where} is no list: say where it is with items")
    for part in ("path", "query", "headers", "body", "answer", "next"):
        check(getattr(operation, part), file.words, f"{where} {part}")


def _known(where: str, name: str) -> None:
    if name not in ROUTES:
        raise MappingError(
            f"{where}: the contract has no operation {name!r}: "
            "its names are the operationIds of contract/openapi.yaml"
        )
