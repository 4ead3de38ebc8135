"""What the pages refuse by themselves."""

from holdfast import errors


class NoAccountInCurrency(errors.Conflict):
    """This person has no account in that currency."""

    code = "storefront.no_account_in_currency"


class QuoteExpired(errors.Conflict):
    """The rate is no longer held."""

    code = "storefront.quote_expired"
