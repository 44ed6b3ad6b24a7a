"""Who stands behind an account, and what of theirs must be sealed."""

from functools import partial

from ..domain.account import Account
from ..domain.rejection import Rejection
from ..eventsourcing.engine import Engine
from ..privacy.keyring import KeyRing
from ..privacy.sealing import Entropy, place, seal, unseal

ERASED = Rejection("customer-erased", "the personal data of a party was erased")


class Parties:
    """Owners never change, so what a partition last knew of an account is good enough."""

    def __init__(self, engine: Engine, keyring: KeyRing, entropy: Entropy) -> None:
        self._engine = engine
        self._keyring = keyring
        self._seal = partial(seal, entropy=entropy)

    async def account(self, account_id: str) -> Account | None:
        """The account as last known here; only what never changes of it may be relied on."""
        known = self._engine.peek(account_id)
        if known is None or known.state is None:
            known = await self._engine.read(account_id)
        account: Account | None = known.state
        return account

    async def refusal(self, account_id: str) -> Rejection | None:
        """Why nothing more may be recorded of the owner of this account, if so."""
        account = await self.account(account_id)
        if account is None:
            return None  # the account's own decider says it better
        keys = await self._keyring.load({account.customer_id})
        return None if account.customer_id in keys else ERASED

    async def seal_own(
        self, narrative: str | None, origin: str, account_id: str
    ) -> str | Rejection | None:
        """The owner's copy of a narrative; a Rejection when the owner was erased."""
        account = await self.account(account_id)
        if account is None:
            return None  # the account's own decider says it better
        key = (await self._keyring.load({account.customer_id})).get(account.customer_id)
        if key is None:
            return ERASED
        return None if narrative is None else self._seal(key, narrative, narrative_context(origin))

    async def seal_narrative(
        self, narrative: str | None, origin: str, payer_account: str, payee_account: str
    ) -> tuple[str | None, str | None] | Rejection:
        """The payer's and the payee's own copies; a Rejection when one of them was erased.

        `origin` is the id of the transfer that the narrative belongs to: it is bound to it.
        """
        payer = await self.account(payer_account)
        payee = await self.account(payee_account)
        if payer is None:
            return Rejection("debtor-account-not-found", "there is no such source account")
        if payee is None:
            return Rejection("creditor-account-not-found", "there is no such target account")
        keys = await self._keyring.load({payer.customer_id, payee.customer_id})
        if payer.customer_id not in keys or payee.customer_id not in keys:
            return ERASED
        if narrative is None:
            return None, None
        context = narrative_context(origin)
        return (
            self._seal(keys[payer.customer_id], narrative, context),
            self._seal(keys[payee.customer_id], narrative, context),
        )

    async def unseal_narratives(
        self, customer_id: str, sealed: list[tuple[str, str | None]]
    ) -> list[str | None]:
        """The customer's copies in clear, given as (origin, sealed); None where the key is gone."""
        if not any(text for _, text in sealed):
            return [None] * len(sealed)
        key = (await self._keyring.load({customer_id})).get(customer_id)
        if key is None:
            return [None] * len(sealed)
        return [
            None if text is None else unseal(key, text, narrative_context(origin))
            for origin, text in sealed
        ]


def narrative_context(origin: str) -> str:
    """What a narrative is bound to: the transfer, or the entry's own reference."""
    return place(origin, 1, "narrative")
