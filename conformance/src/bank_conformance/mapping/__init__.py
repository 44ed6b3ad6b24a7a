"""Banks of another shape: a mapping file, or a small class, between the contract and the wire."""

from .adapter import (
    Adapter,
    AdapterError,
    Asked,
    MappingError,
    NotOfferedError,
    Send,
    Spoil,
    UnclearError,
    Wire,
)
from .file import load_mapping
from .loading import adapter_for
from .mapped import Mapped

__all__ = [
    "Adapter",
    "AdapterError",
    "Asked",
    "Mapped",
    "MappingError",
    "NotOfferedError",
    "Send",
    "Spoil",
    "UnclearError",
    "Wire",
    "adapter_for",
    "load_mapping",
]
