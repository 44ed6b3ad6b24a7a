"""The tests of privacy."""
