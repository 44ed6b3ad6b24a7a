"""A bank in memory, with known faults: what the harness is tested against. It keeps nothing."""
