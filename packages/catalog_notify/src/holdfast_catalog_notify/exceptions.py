"""The refusals: one class for each, whose docstring's first line is the message."""

from holdfast import errors


class CatalogError(errors.Refusal):
    """The request about the catalog was refused."""

    code = "holdfast_catalog_notify.refused"


class ProductNotFound(CatalogError, errors.NotFound):
    """There is no such product.

    Context: ``product_id`` or ``sku``.
    """

    code = "holdfast_catalog_notify.product_not_found"


class BrandNotFound(CatalogError, errors.NotFound):
    """There is no such brand.

    Context: ``brand_id``.
    """

    code = "holdfast_catalog_notify.brand_not_found"


class CategoryNotFound(CatalogError, errors.NotFound):
    """There is no such category.

    Context: ``category_id``.
    """

    code = "holdfast_catalog_notify.category_not_found"


class BrandUnknown(CatalogError, errors.Invalid):
    """A product cannot have a brand that does not exist.

    Context: ``brand``, an id or a name.
    """

    code = "holdfast_catalog_notify.brand_unknown"


class CategoryUnknown(CatalogError, errors.Invalid):
    """A product cannot have a category that does not exist.

    Context: ``category``, an id or a name.
    """

    code = "holdfast_catalog_notify.category_unknown"


class SkuTaken(CatalogError, errors.Conflict):
    """Another product has this SKU.

    Context: ``sku``.
    """

    code = "holdfast_catalog_notify.sku_taken"


class NameTaken(CatalogError, errors.Conflict):
    """Another one has this name.

    Context: ``name``.
    """

    code = "holdfast_catalog_notify.name_taken"


class StillInUse(CatalogError, errors.Conflict):
    """Products have it: give them another one first.

    Context: ``products``, how many.
    """

    code = "holdfast_catalog_notify.still_in_use"


class VersionOutdated(CatalogError, errors.Conflict):
    """The product has changed since you read it.

    Context: ``product_id``, ``version`` (the present one).
    """

    code = "holdfast_catalog_notify.version_outdated"
    status = 412


class TextInvalid(CatalogError, errors.Invalid):
    """A text is empty, too long, or no text of one line.

    Context: ``field``, ``length``, ``maximum``.
    """

    code = "holdfast_catalog_notify.text_invalid"


class PriceNegative(CatalogError, errors.Invalid):
    """A price is not negative.

    Context: ``price``.
    """

    code = "holdfast_catalog_notify.price_negative"


class CurrencyNotAllowed(CatalogError, errors.Invalid):
    """Prices are not given in this currency.

    Context: ``currency``, ``allowed``.
    """

    code = "holdfast_catalog_notify.currency_not_allowed"


class PercentOutOfRange(CatalogError, errors.Invalid):
    """Prices change by more than -100 and by at most 1,000 percent.

    Context: ``percent``.
    """

    code = "holdfast_catalog_notify.percent_out_of_range"


class TooManyProducts(CatalogError, errors.Invalid):
    """These are more products than may be changed at once.

    Context: ``products``, ``maximum``.
    """

    code = "holdfast_catalog_notify.too_many_products"


class FileUnreadable(CatalogError, errors.Invalid):
    """The file is no CSV with the columns of products.

    Context: what is wrong with it.
    """

    code = "holdfast_catalog_notify.file_unreadable"


class RowsBroken(CatalogError, errors.Invalid):
    """The file has broken rows, so nothing was imported.

    Context: ``rows``, for each its ``line``, ``sku``, ``code`` and ``detail``; ``broken``, how many there are.
    """

    code = "holdfast_catalog_notify.rows_broken"


class ChannelUnknown(CatalogError, errors.Invalid):
    """There is no such channel.

    Context: ``channel``, ``channels``.
    """

    code = "holdfast_catalog_notify.channel_unknown"


class AddressNeeded(CatalogError, errors.Invalid):
    """This channel needs an address of yours: a public https address, or one for e-mail.

    Context: ``channel``.
    """

    code = "holdfast_catalog_notify.address_needed"


class DigestNotOffered(CatalogError, errors.Invalid):
    """This channel tells everything at once.

    Context: ``channel``.
    """

    code = "holdfast_catalog_notify.digest_not_offered"


class TooManyMutedBrands(CatalogError, errors.Invalid):
    """You have muted as many brands as one may: turn a channel off instead.

    Context: ``maximum``.
    """

    code = "holdfast_catalog_notify.too_many_muted_brands"


class NotificationNotFound(CatalogError, errors.NotFound):
    """You have no such notification.

    Context: ``notification_id``.
    """

    code = "holdfast_catalog_notify.notification_not_found"


class DeliveryNotFound(CatalogError, errors.NotFound):
    """There is no such delivery.

    Context: ``delivery_id``.
    """

    code = "holdfast_catalog_notify.delivery_not_found"


class DeliveryNotDead(CatalogError, errors.Conflict):
    """Only a dead delivery can be replayed.

    Context: ``delivery_id``, ``state``.
    """

    code = "holdfast_catalog_notify.delivery_not_dead"


class UnsubscribeLinkInvalid(CatalogError, errors.Denied):
    """This link was not made here.

    Context: none.
    """

    code = "holdfast_catalog_notify.unsubscribe_link_invalid"


class AdminNotFound(CatalogError, errors.NotFound):
    """There is no such admin.

    Context: ``admin_id``.
    """

    code = "holdfast_catalog_notify.admin_not_found"


class NotAnAdmin(CatalogError, errors.Denied):
    """Only an active admin with the right to it manages other admins.

    Context: ``actor_id``.
    """

    code = "holdfast_catalog_notify.not_an_admin"


class LastAdmin(CatalogError, errors.Conflict):
    """This is the last active admin.

    Context: ``admin_id``.
    """

    code = "holdfast_catalog_notify.last_admin"


class SuperuserProtected(CatalogError, errors.Denied):
    """Only a superuser changes a superuser.

    Context: ``admin_id``.
    """

    code = "holdfast_catalog_notify.superuser_protected"


class AdminOutranksYou(CatalogError, errors.Denied):
    """This admin may do what you may not: who could give him a password could become him.

    Context: ``admin_id``.
    """

    code = "holdfast_catalog_notify.admin_outranks_you"


class LoginTaken(CatalogError, errors.Conflict):
    """Another user has this login.

    Context: ``username``.
    """

    code = "holdfast_catalog_notify.login_taken"


class AdminInvalid(CatalogError, errors.Invalid):
    """An admin has a login and an e-mail address.

    Context: for each field, what is wrong with it.
    """

    code = "holdfast_catalog_notify.admin_invalid"


class PasswordTooWeak(CatalogError, errors.Invalid):
    """The password is too weak.

    Context: ``reasons``.
    """

    code = "holdfast_catalog_notify.password_too_weak"


class AdminHasRecords(CatalogError, errors.Conflict):
    """Records that must stay name this admin: deactivate instead.

    Context: ``admin_id``.
    """

    code = "holdfast_catalog_notify.admin_has_records"


class PeriodInvalid(CatalogError, errors.Invalid):
    """A report's period begins in 1970 or later, and ends after it begins.

    Context: ``start``, ``end``.
    """

    code = "holdfast_catalog_notify.period_invalid"


class PeriodTooLong(CatalogError, errors.Invalid):
    """A report has no more days than this.

    Context: ``days``, ``maximum``.
    """

    code = "holdfast_catalog_notify.period_too_long"


class HoursForgotten(CatalogError, errors.Invalid):
    """The hours of this period are no longer kept; its days are.

    Context: ``start``, ``kept_days``.
    """

    code = "holdfast_catalog_notify.hours_forgotten"
