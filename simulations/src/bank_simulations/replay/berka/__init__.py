"""The books of a Czech bank, 1993 on: PKDD'99 "Financial", by Petr Berka and Marta Sochorova."""
