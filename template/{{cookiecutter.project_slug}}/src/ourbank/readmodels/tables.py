"""What the tables of all read models share."""

from sqlalchemy import MetaData, Text

metadata = MetaData()
"""The tables of the read models."""

Code = Text(collation="C")
"""Ids and codes: compared byte by byte."""
