"""What goes in and what comes out."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from holdfast.api.fields import MoneyField
from holdfast.api.serializers import StrictSerializer
from holdfast_catalog_notify.models import FIGURES, Brand, Category, Change, Delivery, DeliveryAttempt, Product
from holdfast_catalog_notify.models.catalog import DESCRIPTION_LENGTH, NAME_LENGTH, SKU_LENGTH
from holdfast_catalog_notify.models.notifications import ADDRESS_LENGTH
from holdfast_catalog_notify.selectors.reports import SeriesRow
from holdfast_catalog_notify.states import DeliveryState, Interval, Mode, RankingOf

IMPORT_SIZE = 1_000


class GroupInput(StrictSerializer):
    """The name of a brand or a category."""

    name = serializers.CharField(max_length=NAME_LENGTH)


class BrandOutput(serializers.ModelSerializer[Brand]):
    """A brand."""

    class Meta:
        model = Brand
        fields = ("id", "name")
        read_only_fields = fields


class CategoryOutput(serializers.ModelSerializer[Category]):
    """A category."""

    class Meta:
        model = Category
        fields = ("id", "name")
        read_only_fields = fields


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "A request",
            {
                "sku": "LAMP-1",
                "name": "Lamp",
                "price": {"amount": "12.30", "currency": "EUR"},
                "brand": "0199d2a4-7a50-7000-8000-000000000001",
            },
            request_only=True,
        )
    ]
)
class ProductInput(StrictSerializer):
    """What is said of a product."""

    sku = serializers.CharField(max_length=SKU_LENGTH)
    name = serializers.CharField(max_length=NAME_LENGTH)
    price = MoneyField()
    brand = serializers.UUIDField(source="brand_id", help_text="The id of a brand.")
    category = serializers.UUIDField(
        source="category_id", required=False, allow_null=True, help_text="The id of a category."
    )
    description = serializers.CharField(
        max_length=DESCRIPTION_LENGTH, required=False, allow_blank=True, trim_whitespace=False
    )
    image_url = serializers.URLField(max_length=500, required=False, allow_blank=True)
    active = serializers.BooleanField(required=False, help_text="Left out: true, or as it was.")


class ProductChange(ProductInput):
    """What is to be different."""

    sku = serializers.CharField(max_length=SKU_LENGTH, required=False)
    name = serializers.CharField(max_length=NAME_LENGTH, required=False)
    price = MoneyField(required=False)
    brand = serializers.UUIDField(source="brand_id", required=False, help_text="The id of a brand.")


class ProductOutput(serializers.ModelSerializer[Product]):
    """A product. ``version`` counts its changes; its ``ETag`` begins with it."""

    price = MoneyField(read_only=True)
    brand = BrandOutput(read_only=True)
    category = CategoryOutput(read_only=True, allow_null=True)
    image_url = serializers.CharField(read_only=True, help_text="Empty where there is no picture.")

    class Meta:
        model = Product
        fields = (
            "id",
            "sku",
            "name",
            "description",
            "price",
            "brand",
            "category",
            "image_url",
            "active",
            "version",
            "created_at",
            "updated_at",
        )
        read_only_fields = fields


class ProductFilter(StrictSerializer):
    """Which products to list."""

    search = serializers.CharField(
        required=False, max_length=200, help_text="A part of the name, or the beginning of the SKU."
    )
    brand = serializers.UUIDField(source="brand_id", required=False)
    category = serializers.UUIDField(source="category_id", required=False)
    currency = serializers.RegexField(r"^[A-Z]{3}$", required=False)
    min_price = serializers.DecimalField(
        max_digits=19, decimal_places=4, required=False, help_text="In the currency, which must be given too."
    )
    max_price = serializers.DecimalField(max_digits=19, decimal_places=4, required=False, help_text="As min_price.")
    active = serializers.BooleanField(required=False, help_text="For admins; visitors see active products only.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse to compare amounts of different currencies."""
        if attrs.keys() & {"min_price", "max_price"} and "currency" not in attrs:
            raise serializers.ValidationError(
                {"currency": [serializers.ErrorDetail("Prices compare within a currency.", code="required")]}
            )
        return attrs


class ProductListFilter(ProductFilter):
    """Which products to list, and in which order."""

    ORDERINGS = {
        # The id of a product grows with time.
        "-created_at": ("-id",),
        "created_at": ("id",),
        "name": ("name", "id"),
        "-name": ("-name", "-id"),
        "price": ("price", "id"),
        "-price": ("-price", "-id"),
    }

    ordering = serializers.ChoiceField(list(ORDERINGS), default="-created_at")


class PricesInput(StrictSerializer):
    """By how much to change the prices of which products; of all, without a filter."""

    percent = serializers.DecimalField(max_digits=8, decimal_places=4)
    products = serializers.ListField(
        source="product_ids", child=serializers.UUIDField(), required=False, max_length=IMPORT_SIZE
    )
    brand = serializers.UUIDField(source="brand_id", required=False)
    category = serializers.UUIDField(source="category_id", required=False)


class CountOutput(serializers.Serializer[Any]):
    """How many."""

    count = serializers.IntegerField()


class ImportOptions(StrictSerializer):
    """How to import."""

    broken = serializers.ChoiceField(
        ["refuse", "skip"], default="refuse", help_text="What a broken row does: refuse the file, or be left out."
    )
    dry_run = serializers.BooleanField(default=False, help_text="Change nothing, and report.")


class BrokenRowOutput(serializers.Serializer[Any]):
    """A row that cannot be imported."""

    line = serializers.IntegerField()
    sku = serializers.CharField()
    code = serializers.CharField()
    detail = serializers.CharField()


class ImportOutput(serializers.Serializer[Any]):
    """What an import did, or would do."""

    created = serializers.IntegerField()
    changed = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    broken = BrokenRowOutput(many=True)


_VALUES = {
    "type": "object",
    "additionalProperties": {"type": "object", "properties": {"old": {}, "new": {}}, "required": ["old", "new"]},
}


@extend_schema_field(_VALUES)
class ValuesField(serializers.JSONField):
    """What each field was and is."""


class ChangeOutput(serializers.ModelSerializer[Change]):
    """What happened to a product, by whom, when and through which door."""

    change_set = serializers.UUIDField(source="change_set_id")
    at = serializers.DateTimeField(source="change_set.at")
    actor = serializers.CharField(source="change_set.actor_name")
    door = serializers.CharField(source="change_set.door")
    product = serializers.UUIDField(source="product_id")
    values = ValuesField()

    class Meta:
        model = Change
        fields = ("id", "change_set", "at", "actor", "door", "product", "sku", "name", "action", "values")
        read_only_fields = fields


class ChangesFilter(StrictSerializer):
    """Which changes to list."""

    product = serializers.UUIDField(source="product_id", required=False)
    change_set = serializers.UUIDField(source="change_set_id", required=False)
    prices_only = serializers.BooleanField(default=False)


class ToldChange(serializers.ModelSerializer[Change]):
    """A change, within a notification."""

    product = serializers.UUIDField(source="product_id")
    values = ValuesField()

    class Meta:
        model = Change
        fields = ("product", "sku", "name", "action", "values")
        read_only_fields = fields


class NotificationOutput(serializers.ModelSerializer[Delivery]):
    """An entry of an inbox: a change set, of which the first changes are shown."""

    at = serializers.DateTimeField(source="change_set.at")
    actor = serializers.CharField(source="change_set.actor_name")
    change_set = serializers.UUIDField(source="change_set_id")
    total = serializers.IntegerField(source="change_set.total", help_text="How many products were changed.")
    changes = ToldChange(source="change_set.first_changes", many=True, help_text="The first of them.")

    class Meta:
        model = Delivery
        fields = ("id", "at", "actor", "change_set", "total", "changes", "read_at")
        read_only_fields = fields


class InboxFilter(StrictSerializer):
    """Which notifications to list."""

    unread = serializers.BooleanField(required=False)


class PreferenceInput(StrictSerializer):
    """How to be told over a channel."""

    mode = serializers.ChoiceField(Mode.choices)
    address = serializers.CharField(required=False, allow_blank=True, max_length=ADDRESS_LENGTH)


class PreferenceOutput(serializers.Serializer[Any]):
    """How one is told over a channel."""

    channel = serializers.CharField()
    mode = serializers.ChoiceField(Mode.choices)
    address = serializers.CharField(allow_blank=True)


class MutedBrandsOutput(serializers.Serializer[Any]):
    """The brands that one is not told of."""

    brands = serializers.ListField(child=serializers.UUIDField())


class AttemptOutput(serializers.ModelSerializer[DeliveryAttempt]):
    """One try of a delivery."""

    class Meta:
        model = DeliveryAttempt
        fields = ("number", "via", "at", "provider_id", "error")
        read_only_fields = fields


class DeliveryOutput(serializers.ModelSerializer[Delivery]):
    """A delivery, with its tries."""

    recipient = serializers.CharField(source="recipient_id")
    change_set = serializers.UUIDField(source="change_set_id")
    tries = AttemptOutput(many=True)

    class Meta:
        model = Delivery
        fields = (
            "id",
            "change_set",
            "recipient",
            "channel",
            "via",
            "digest",
            "state",
            "due_at",
            "message_id",
            "provider_id",
            "error",
            "created_at",
            "sent_at",
            "tries",
        )
        read_only_fields = fields


class DeliveryFilter(StrictSerializer):
    """Which deliveries to list."""

    state = serializers.ChoiceField(DeliveryState.choices, required=False)
    channel = serializers.CharField(required=False, max_length=40)


class AdminInput(StrictSerializer):
    """A new admin."""

    username = serializers.CharField(max_length=150)
    email = serializers.EmailField(max_length=254)
    password = serializers.CharField(max_length=128, trim_whitespace=False, write_only=True)


class AdminChange(StrictSerializer):
    """What is to be different of an admin."""

    username = serializers.CharField(max_length=150, required=False)
    email = serializers.EmailField(max_length=254, required=False)
    password = serializers.CharField(max_length=128, required=False, trim_whitespace=False, write_only=True)
    active = serializers.BooleanField(required=False)


class AdminOutput(serializers.Serializer[Any]):
    """An admin, without his password."""

    id = serializers.CharField(source="pk")
    username = serializers.CharField(source="get_username")
    email = serializers.SerializerMethodField()
    active = serializers.BooleanField(source="is_active")
    superuser = serializers.BooleanField(source="is_superuser")

    def get_email(self, admin: Any) -> str:
        """Return his e-mail address."""
        return str(getattr(admin, admin.get_email_field_name()))


class UnsubscribeInput(serializers.Serializer[Any]):
    """What RFC 8058 has a mailbox post; whatever else comes with it is nobody's business."""


class PeriodInput(StrictSerializer):
    """Of which days, and of which products, a report is."""

    start = serializers.DateField(required=False, help_text="The first day.")
    end = serializers.DateField(required=False, help_text="The last day. Left out: today.")
    brand = serializers.UUIDField(source="brand_id", required=False)
    category = serializers.UUIDField(source="category_id", required=False)


class SeriesInput(PeriodInput):
    """Figures over time."""

    interval = serializers.ChoiceField(Interval.choices, default=Interval.DAY.value)
    product = serializers.UUIDField(source="product_id", required=False)


class RankingInput(PeriodInput):
    """The most viewed."""

    by = serializers.ChoiceField(FIGURES, default="retrieved", help_text="The figure that ranks.")
    limit = serializers.IntegerField(min_value=1, max_value=100, default=20)


class FiguresOutput(serializers.Serializer[Any]):
    """What is counted: of visitors, of their visits, of bots."""

    retrieved = serializers.IntegerField()
    listed = serializers.IntegerField()
    visits = serializers.IntegerField()
    bot_retrieved = serializers.IntegerField()
    bot_listed = serializers.IntegerField()


class PeriodOutput(serializers.Serializer[Any]):
    """Days, the last one included."""

    start = serializers.DateField()
    end = serializers.DateField()


class ReportOutput(serializers.Serializer[Any]):
    """What all reports say. ``pending`` answers are not among the figures yet."""

    start = serializers.DateField(source="period.start")
    end = serializers.DateField(source="period.end")
    time_zone = serializers.CharField()
    pending = serializers.IntegerField(allow_null=True, help_text="null: the buffer does not answer.")
    former = PeriodOutput(help_text="What it is compared with.")


class SeriesRowOutput(serializers.Serializer[Any]):
    """An hour, a day or a month."""

    start = serializers.SerializerMethodField()
    figures = FiguresOutput()

    def get_start(self, row: SeriesRow) -> str:
        """Return the moment with its distance from UTC, or the day."""
        return row.start.isoformat()


class SeriesOutput(ReportOutput):
    """Figures over time, without a gap."""

    interval = serializers.ChoiceField(Interval.choices)
    totals = FiguresOutput()
    former_totals = FiguresOutput()
    change_percent = serializers.DictField(child=serializers.FloatField(allow_null=True))
    results = SeriesRowOutput(source="rows", many=True)


class RankingRowOutput(serializers.Serializer[Any]):
    """A product, a brand or a category; without a name, none of those that there are."""

    id = serializers.UUIDField(allow_null=True)
    sku = serializers.CharField()
    name = serializers.CharField()
    figures = FiguresOutput()
    former = serializers.IntegerField(help_text="What ranks, in the former period.")
    change_percent = serializers.FloatField(allow_null=True)


class RankingOutput(ReportOutput):
    """The most viewed, the first one first."""

    of = serializers.ChoiceField(RankingOf.choices)
    by = serializers.ChoiceField(FIGURES)
    results = RankingRowOutput(source="rows", many=True)
