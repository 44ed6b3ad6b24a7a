"""The benchmark: the bank beside its peers, on one PostgreSQL, in one run, as ratios.

Figures of different machines or days are not comparable; ratios from one run are. So every peer is
first tried at several settings and then measured at its best one, in rounds: all peers once, then
all again, so that a disturbance of the machine strikes everybody. Medians are compared.
"""
