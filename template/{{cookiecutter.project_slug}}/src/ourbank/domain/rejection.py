"""What a rule answers when it says no.

A rejection is a value, not an exception: it is decided, stored under the command's key and
answered again on a retry. An *error* is something else: a fault of the machine, never stored.
"""

from .value import value

REASON_CODES = {
    "insufficient-funds": "AM04",
    "account-not-found": "AC01",
    "debtor-account-not-found": "AC02",
    "creditor-account-not-found": "AC03",
    "account-closed": "AC04",
    "debtor-account-closed": "AC05",
    "creditor-account-closed": "AC07",
    "account-blocked": "AC06",
    "currency-mismatch": "AM03",
    "above-maximum": "AM02",
    "limit-exceeded": "AM14",
    "invalid-amount": "AM12",
    "forbidden-on-account-type": "AG01",
    "date-too-far-ahead": "CH03",
    "date-too-far-back": "CH04",
    "settlement-timeout": "AB03",
    "customer-erased": "RR04",
}
"""Our stable codes and the status reason ISO 20022 has for each (External Code Sets, 4Q2025)."""


@value
class Rejection:
    """A rule said no: `code` is stable and public, `detail` is for people and names nobody."""

    code: str
    detail: str = ""

    @property
    def reason_code(self) -> str | None:
        """The ISO 20022 status reason, where there is one."""
        return REASON_CODES.get(self.code)
