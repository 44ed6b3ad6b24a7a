"""Other stores under the same rows: programs in processes of their own, one a file.

Each hears first where to store, and then one job after the other: so many connections append
batches of so many rows for so many seconds. Each answers how many events it appended, in what
time, and how many the store has more than before.
"""
