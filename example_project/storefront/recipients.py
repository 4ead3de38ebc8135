"""Whom money goes to: what a person typed, as an account."""

from dataclasses import dataclass
from uuid import UUID

from holdfast_wallet import selectors
from holdfast_wallet.exceptions import AccountNotFound
from people.selectors import find_person
from storefront.exceptions import NoAccountInCurrency


@dataclass(frozen=True)
class Recipient:
    """An account, and what to call it."""

    account_id: UUID
    name: str
    handle: str


def find_recipient(text: str, *, currency: str) -> Recipient:
    """Return the account that a username, an e-mail address or an account's id stands for.

    Raises ``PersonNotFound``, ``NoAccountInCurrency``. Whether an id leads anywhere, the transfer itself finds out.
    """
    try:
        account_id = UUID(text.strip())
    except ValueError:
        person = find_person(text)
    else:
        return Recipient(account_id, "Account", str(account_id))
    try:
        account = selectors.default_account(owner_id=person.pk, currency=currency)
    except AccountNotFound:
        raise NoAccountInCurrency(f"{person} has no account in {currency}.", currency=currency) from None
    return Recipient(account.id, str(person), f"@{person.username}")
