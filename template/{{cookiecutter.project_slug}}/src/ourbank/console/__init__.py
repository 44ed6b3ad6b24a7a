"""The command line: serving, operating, looking after the bank."""
