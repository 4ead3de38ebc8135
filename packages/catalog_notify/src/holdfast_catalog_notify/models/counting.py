"""What visitors look at: the buffer that requests write, and the figures that the roll-up keeps.

- ``BufferedViews``: an answer that showed products and is not counted yet. Requests only ever insert here.
- ``HourlyViews`` and ``DailyViews``: the figures of each product; written by the roll-up alone.
- ``Visit``: that somebody was seen at a product, as a hash that nobody can follow; kept until the day is over.
- ``VisitorSalt``: the day's secret of that hash; deleted with the day, and with it the way back to an address.
- ``CountedBatch``: a batch of a buffer outside this database that is counted, so that it is not counted again.
"""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from holdfast_catalog_notify.models.catalog import Product
from holdfast_catalog_notify.states import ViewKind

FIGURES = ("retrieved", "listed", "visits", "bot_retrieved", "bot_listed")
"""What is counted; a column of each table of views."""


class BufferedViews(models.Model):
    """One answer to an anonymous visitor: the product that he retrieved, or the whole page that was listed.

    No index beyond its key, no foreign key, no row that two requests share: inserting one waits for nobody.
    """

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=10, choices=ViewKind.choices)
    product_ids = models.TextField(help_text="Separated by spaces.")
    hour = models.DateTimeField(help_text="The beginning of its hour in the time zone of the reports.")
    is_bot = models.BooleanField()
    visitor = models.CharField(max_length=32, blank=True, help_text="A hash of the visitor and of his window of time.")

    class Meta:
        verbose_name_plural = "buffered views"

    def __str__(self) -> str:
        return f"{self.kind} {self.hour:%Y-%m-%d %H:%M}"


class Figures(models.Model):
    """What is counted of a product in a period of time."""

    retrieved = models.PositiveBigIntegerField(default=0, help_text="How often anonymous visitors retrieved it.")
    listed = models.PositiveBigIntegerField(default=0, help_text="How often it was on a page that they listed.")
    visits = models.PositiveBigIntegerField(
        default=0, help_text="Of the retrievals, those that were not the same visitor's again (VISIT_SECONDS)."
    )
    bot_retrieved = models.PositiveBigIntegerField(default=0, help_text="How often bots retrieved it.")
    bot_listed = models.PositiveBigIntegerField(default=0, help_text="How often it was on a page that bots listed.")

    # What was seen was seen: the figures stay when the product goes, so the database holds no constraint. It is never
    # null, but may lead nowhere: only for a nullable key does Django join what it has not found, too.
    product = models.ForeignKey(
        Product, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False, null=True
    )

    class Meta:
        abstract = True


class HourlyViews(Figures):
    """The figures of a product in an hour; kept for ``HOURLY_VIEWS_DAYS``."""

    hour = models.DateTimeField()

    class Meta:
        verbose_name_plural = "hourly views"
        constraints = [
            models.UniqueConstraint(fields=["product", "hour"], name="holdfast_catalog_notify_hourly_once"),
            models.CheckConstraint(
                condition=Q(visits__lte=models.F("retrieved")), name="holdfast_catalog_notify_hourly_visits"
            ),
            models.CheckConstraint(
                condition=Q(product__isnull=False), name="holdfast_catalog_notify_hourly_of_a_product"
            ),
        ]
        indexes = [models.Index(fields=["hour"], name="holdfast_catalog_notify_hour")]

    def __str__(self) -> str:
        return f"{self.product_id} {self.hour:%Y-%m-%d %H:%M}"


class DailyViews(Figures):
    """The figures of a product on a day of the reports' time zone; kept for ever."""

    day = models.DateField()

    class Meta:
        verbose_name_plural = "daily views"
        constraints = [
            models.UniqueConstraint(fields=["product", "day"], name="holdfast_catalog_notify_daily_once"),
            models.CheckConstraint(
                condition=Q(visits__lte=models.F("retrieved")), name="holdfast_catalog_notify_daily_visits"
            ),
            models.CheckConstraint(
                condition=Q(product__isnull=False), name="holdfast_catalog_notify_daily_of_a_product"
            ),
        ]
        indexes = [models.Index(fields=["day"], name="holdfast_catalog_notify_day")]

    def __str__(self) -> str:
        return f"{self.product_id} {self.day}"


class Visit(models.Model):
    """Somebody retrieved a product within a window of time; further retrievals of his are no further visit."""

    key = models.CharField(max_length=32, primary_key=True)
    day = models.DateField(db_index=False)

    class Meta:
        indexes = [models.Index(fields=["day"], name="holdfast_catalog_notify_visits")]

    def __str__(self) -> str:
        return f"{self.day}"


class VisitorSalt(models.Model):
    """What a day's visitors are hashed with; when it is gone, nobody can tell whose the hashes were."""

    day = models.DateField(primary_key=True)
    salt = models.BinaryField(max_length=32)

    def __str__(self) -> str:
        return f"{self.day}"


class CountedBatch(models.Model):
    """A batch from a buffer outside this database was counted, in the transaction that wrote this row."""

    id = models.UUIDField(primary_key=True)
    counted_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name_plural = "counted batches"
        indexes = [models.Index(fields=["counted_at"], name="holdfast_catalog_notify_batch")]

    def __str__(self) -> str:
        return f"{self.id}"
