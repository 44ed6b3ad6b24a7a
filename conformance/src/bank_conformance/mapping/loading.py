"""The adapter of a target: from its mapping file, from a class beside it, or from both."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

from .adapter import Adapter, MappingError
from .file import MappingFile, load_mapping
from .mapped import Mapped


def adapter_for(directory: Path, mapping: str, adapter: str) -> Adapter:
    """Return the adapter that a target file names; the contract's own where it names none.

    `mapping` is a file and `adapter` a "module:Class" beside the target file, empty for none.

    Raises:
        MappingError: one of them cannot be used.
    """
    file = load_mapping(directory / mapping) if mapping else None
    if adapter:
        return _made(_class(directory, adapter), file, adapter)
    return Adapter() if file is None else Mapped(file)


def _class(directory: Path, named: str) -> type[Adapter]:
    module_name, _, class_name = named.partition(":")
    path = directory / f"{module_name}.py"
    if not class_name or not path.is_file():
        raise MappingError(
            f'adapter {named!r} must be "module:Class", the module a file beside the target file'
        )
    found = getattr(_module(path), class_name, None)
    if not isinstance(found, type) or not issubclass(found, Adapter):
        raise MappingError(
            f"{path.name} has no class {class_name!r} that derives from "
            "bank_conformance.mapping.Adapter or Mapped"
        )
    return found


def _module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"target_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise MappingError(f"{path.name} cannot be loaded: it must be a Python file")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # noqa: BLE001  whatever a target's own file does
        raise MappingError(f"{path.name} cannot be loaded: {error!r}") from None
    return module


def _made(kind: type[Adapter], file: MappingFile | None, named: str) -> Adapter:
    """Make the adapter; one that follows a mapping file needs one."""
    if not issubclass(kind, Mapped):
        return kind()
    if file is None:
        raise MappingError(
            f'adapter {named!r} follows a mapping file: add mapping = "mapping.toml"'
        )
    return kind(file)
