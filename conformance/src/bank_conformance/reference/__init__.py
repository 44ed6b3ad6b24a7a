"""A small bank of the contract, in memory: it passes everything it offers.

It exists so that the suite can be proven: each mutant breaks one thing in it, and must be caught.
It shares no code with the service template, keeps nothing on disk, and is no model of how to build
a bank. Everything happens in one event loop, so whatever runs without an `await` is atomic.
"""
