"""What the bank does for those who ask: commands through the partition loops, the transfer saga,
queries.
"""
