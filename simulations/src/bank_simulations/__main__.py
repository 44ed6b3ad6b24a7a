"""`python -m bank_simulations` is the command `bank-simulations`."""

from .cli import main

main()
