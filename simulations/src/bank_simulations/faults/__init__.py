"""Faults on real processes: break a bank under load, and count what became of every transfer.

`catalogue` reads what a target lets be done to it; `history` and `checks` decide, and import
neither Locust nor gevent; `run` puts a load and a fault together; `command` tells.
"""
