"""`bank-simulations dst`: the simulation that every generated bank brings, with the deciders of the
conformance suite beside it.
"""
