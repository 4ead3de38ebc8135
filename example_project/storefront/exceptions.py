"""What the pages refuse by themselves."""

from holdfast import errors


class NoAccountInCurrency(errors.Conflict):
    """This person has no account in that currency."""

    code = "storefront.no_account_in_currency"


class HoldOfSomebodyElse(errors.Denied):
    """Whom this money was set aside for ends it; ask there."""

    code = "storefront.hold_of_somebody_else"


class QuoteExpired(errors.Conflict):
    """The rate is no longer held."""

    code = "storefront.quote_expired"


class MailNotFound(errors.NotFound):
    """There is no such mail."""

    code = "storefront.mail_not_found"


class PictureInvalid(errors.Invalid):
    """This is no picture that we can read, or it is too large: JPEG, PNG or WebP, up to 8 MB."""

    code = "storefront.picture_invalid"


class PictureNotFound(errors.NotFound):
    """There is no such picture."""

    code = "storefront.picture_not_found"


class OwnerActsAlready(errors.Conflict):
    """The shop is this person's own: there is nobody to invite."""

    code = "storefront.owner_acts_already"
