"""`python -m bank_conformance` is `bank-conformance`."""

from .cli import main

if __name__ == "__main__":
    main()
