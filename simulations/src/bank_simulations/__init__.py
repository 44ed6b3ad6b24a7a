"""Simulations: the 2-second bound decided, real books replayed, the cost of it measured.

Everything here speaks to a bank through the public HTTP contract only. The rooms: `load` is the
open-loop measurement, `replay` sends a real bank's year through the API, `bench` sets the bank
beside its peers, `report` draws what was measured, `stub` is a bank in memory whose faults are
known, against which the harness proves itself.
"""
