"""The kernel: the partitioned log and everything that reads and writes it. Knows nothing of
banking.
"""
