"""The wallet's tables.

- ``Account``: money of one currency that belongs to one owner, or to the house in a role. Its balance is a cache of
its last entry.
- ``Transfer``: one movement of one positive amount from a source to a target account. The only thing that changes
balances.
- ``Entry``: the two sides of each transfer as two lines (a view): double entry, balanced by construction, at no
storage cost.
- ``Hold``: money set aside on an account until it is captured, released, or its time is over.
- ``HoldEvent``: the append-only history of the holds.
- ``Payment``: money on its way between the outside and an account, through a rail.
- ``Seal``: a link of the hash chain over the transfers.

Amounts are integers in the currency's minor unit, in columns that end in ``_minor``; ``Money`` comes out of the
properties.

The law of the ledger is in the database, in triggers and constraints (``migrations/sql``): inserting a transfer moves
both balances, nothing else does, no limit is passed, and no line is ever changed or removed, by this code or by SQL
typed by hand. The models only describe; the verbs are in ``services``.
"""

from holdfast_wallet.models.accounts import Account
from holdfast_wallet.models.audit import Seal
from holdfast_wallet.models.holds import Hold, HoldEvent
from holdfast_wallet.models.payments import Payment
from holdfast_wallet.models.transfers import Entry, Transfer

__all__ = ["Account", "Entry", "Hold", "HoldEvent", "Payment", "Seal", "Transfer"]
