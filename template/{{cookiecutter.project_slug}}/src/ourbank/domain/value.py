"""What commands, events and states are made of."""

from dataclasses import dataclass, field
from typing import TypeVar, dataclass_transform

Value = TypeVar("Value")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def value(cls: type[Value]) -> type[Value]:
    """A frozen slotted dataclass, frozen by the type checker.

    To freeze it at run time too would make its construction four times as dear, and a transfer
    constructs thirty of them (docs/adr).
    """
    return dataclass(slots=True, unsafe_hash=True)(cls)
