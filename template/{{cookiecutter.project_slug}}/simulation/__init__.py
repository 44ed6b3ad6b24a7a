"""The bank's own code in a simulated world: seeded, in virtual time, crashed and lied to.

loop.py lets time stand still. wire.py, database.py and process.py are the world: what is behind the
ports, how far away it is, and how it breaks. plan.py draws what happens from a seed, faults.py says
what can. workloads/ has one file an aggregate. books.py is looked at after every commit, checks.py
at the end. run.py plays one plan, campaign.py many of them, shrink.py makes a failing one small.
"""
