"""The rules of the bank: pure functions over frozen values, the standard library only.

No clock, no randomness, no I/O: time and ids arrive in the commands. One aggregate a file, always
in the same order: commands, events, state, evolve, decide.
"""
