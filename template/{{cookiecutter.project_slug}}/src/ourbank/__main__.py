"""`python -m ourbank`: the command line."""

from .console.app import main

if __name__ == "__main__":
    main()
