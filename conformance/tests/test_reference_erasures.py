"""The reference bank's erasures: held back, carried out by themselves, under keys with versions."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from bank_conformance.reference.bank import Bank, Customer
from bank_conformance.reference.disk import Disk
from bank_conformance.reference.erasures import Erasures
from bank_conformance.reference.problems import RefusalError
from bank_conformance.reference.vault import Vault
from hypothesis import given
from hypothesis import strategies as st

SECRET = "s" * 32


def _customer() -> tuple[Erasures, Customer, date]:
    bank = Bank(SECRET)
    tomorrow = bank.erasures.today() + timedelta(days=1)
    return bank.erasures, bank.register({"name": "N. N.", "email": "n@example.com"}), tomorrow


def test_a_hold_keeps_the_data_whoever_carries_on() -> None:
    erasures, customer, tomorrow = _customer()
    erasures.hold(customer, tomorrow)
    for _ in range(2):
        erasures.ask(customer)
        erasures.resume()
    assert (customer.erased_at, erasures.held_until(customer)) == (None, tomorrow.isoformat())
    assert erasures.bank.customer_view(customer)["personal"]


def test_once_lifted_an_erasure_is_carried_out_unasked_and_only_one_that_was_asked_for() -> None:
    erasures, customer, tomorrow = _customer()
    bystander = erasures.bank.register({"name": "M. M.", "email": "m@example.com"})
    for one in (customer, bystander):
        erasures.hold(one, tomorrow)
    erasures.ask(customer)
    for one in (customer, bystander):
        erasures.hold(one, None)
    erasures.resume()
    assert customer.erased_at
    assert bystander.erased_at is None


def test_a_hold_ends_when_its_last_day_has_begun() -> None:
    erasures, customer, tomorrow = _customer()
    erasures.hold(customer, tomorrow)
    erasures.ask(customer)
    erasures.ahead = timedelta(days=1)
    assert erasures.held_until(customer) is None
    erasures.resume()
    assert customer.erased_at


def test_a_hold_in_the_past_and_one_on_the_erased_are_refused() -> None:
    erasures, customer, tomorrow = _customer()
    with pytest.raises(RefusalError, match="legal-hold-over"):
        erasures.hold(customer, erasures.today())
    erasures.ask(customer)
    with pytest.raises(RefusalError, match="customer-erased"):
        erasures.hold(customer, tomorrow)
    erasures.hold(customer, None)


STEPS = st.lists(st.sampled_from(["seal", "rotate", "destroy"]), max_size=12)


@given(STEPS)
def test_rotations_keep_everything_and_destruction_keeps_nothing(steps: list[str]) -> None:
    vault, sealed, erased = Vault(Disk(None, "keys.db")), list[str | None](), False
    for subject in ("one", "other"):
        vault.enrol(subject)
    others = vault.seal("other", "theirs", "place")
    for step in steps:
        match step:
            case "seal":
                sealed.append(vault.seal("one", f"text {len(sealed)}", "place"))
            case "rotate":
                vault.rotate()
            case "destroy":
                vault.destroy("one")
                erased = True
        kept = Vault(vault.disk)  # as a process would that starts now
        found = [kept.unseal("one", text, "place") for text in sealed]
        due = [None if erased else f"text {number}" for number in range(len(sealed))]
        assert found == due
        assert kept.knows("one") is not erased
        assert kept.unseal("other", others, "place") == "theirs"
