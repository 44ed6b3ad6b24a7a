"""The faults a target offers, as its file names them.

    [faults.kill-worker]
    about = "one worker is killed, and started again"
    begin = "./scripts/hook fault kill-worker"
    end = "./scripts/hook fault kill-worker --end"

Commands run in the folder of the file. A fault without an end is over as soon as it began.
"""

from __future__ import annotations

import shlex
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from bank_simulations.console import BadInputError

NAME = "^[a-z][a-z0-9-]*$"


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to break the bank.

    Attributes:
        name: as the target file calls it.
        begin: the command that breaks it, for a shell.
        end: the command that mends it; None where nothing is to be mended.
        folder: where both run.
        about: what it does, in the words of whoever ships it.
    """

    name: str
    begin: str
    end: str | None
    folder: Path
    about: str = ""


def _as_line(given: object) -> object:
    """A command may be given as its words, as elsewhere in a target file."""
    if isinstance(given, list) and all(isinstance(word, str) for word in given):
        return shlex.join(given)
    return given


Line = Annotated[str, BeforeValidator(_as_line), Field(min_length=1, pattern=r"\S")]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)  # of the rest of the file others know


class _Fault(_Part):
    model_config = ConfigDict(extra="forbid", frozen=True)

    begin: Line
    end: Line | None = None
    about: str = Field(default="", max_length=200)


class _Target(_Part):
    base_url: str
    name: str = ""


class _Token(_Part):
    command: Line


class _File(_Part):
    target: _Target
    token: _Token
    faults: dict[Annotated[str, Field(pattern=NAME)], _Fault] = {}


@dataclass(frozen=True, slots=True)
class TargetFile:
    """What a target file says about where the bank is and how it can be broken.

    Attributes:
        name: of the bank.
        url: where it serves.
        token_command: prints a token; `{subject}`, `{scope}` and `{seconds}` are to be filled in.
        folder: where the commands of the file run.
        faults: by name, in the order of the file.
    """

    name: str
    url: str
    token_command: str
    folder: Path
    faults: Mapping[str, Fault]


def read_target(target_file: Path) -> TargetFile:
    """Read a target file; BadInputError when it cannot be used, with the cure."""
    file = _decode(target_file)
    folder = target_file.resolve().parent
    faults = {
        name: Fault(name, given.begin, given.end, folder, given.about)
        for name, given in file.faults.items()
    }
    url = file.target.base_url.rstrip("/")
    return TargetFile(file.target.name or url, url, file.token.command, folder, faults)


def read_faults(target_file: Path) -> Mapping[str, Fault]:
    """The faults the target offers, by name; BadInputError when the file cannot be used."""
    return read_target(target_file).faults


def _decode(target_file: Path) -> _File:
    try:
        return _File.model_validate(tomllib.loads(target_file.read_text(encoding="utf-8")))
    except FileNotFoundError:
        cure = "a generated bank has one, conformance.toml"
        raise BadInputError(f"no target file {target_file}: {cure}") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadInputError(f"cannot read {target_file}: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise BadInputError(f"{target_file}: {where}: {first['msg']}") from None
