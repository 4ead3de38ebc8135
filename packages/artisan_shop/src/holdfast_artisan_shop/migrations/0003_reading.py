from django.db import DatabaseError, migrations, models, transaction

# Trigrams find the word that was meant where another was typed. Who may not create an extension goes without: see
# backends/search.py.
EXTENSION = "CREATE EXTENSION IF NOT EXISTS pg_trgm"
INDEX = "CREATE INDEX holdfast_artisan_shop_word_trigrams ON holdfast_artisan_shop_word USING gin (word gin_trgm_ops)"


def add_trigrams(apps, schema_editor):
    connection = schema_editor.connection
    if connection.vendor != "postgresql":
        return
    try:
        with transaction.atomic(using=connection.alias):
            schema_editor.execute(EXTENSION)
            schema_editor.execute(INDEX)
    except DatabaseError:
        return  # neither is there then


class Migration(migrations.Migration):
    dependencies = [("holdfast_artisan_shop", "0002_postgresql")]

    operations = [
        migrations.CreateModel(
            name="Word",
            fields=[
                ("word", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("products", models.PositiveIntegerField()),
            ],
        ),
        # The table takes its index along.
        migrations.RunPython(add_trigrams, migrations.RunPython.noop),
        migrations.AddIndex(
            "product",
            models.Index(
                fields=["category", "price_minor", "id"],
                condition=models.Q(("active", True)),
                name="holdfast_artisan_shop_p_catpr",
            ),
        ),
        migrations.AddIndex(
            "order",
            models.Index(
                fields=["shop", "cancelled_at"],
                condition=models.Q(("state", "cancelled")),
                name="holdfast_artisan_shop_o_canc",
            ),
        ),
        migrations.AddIndex(
            "order",
            models.Index(
                fields=["shop", "completed_at"],
                condition=models.Q(("state", "refunded")),
                name="holdfast_artisan_shop_o_back",
            ),
        ),
        migrations.CreateModel(
            name="SalesMonth",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("month", models.DateField()),
                ("orders", models.PositiveIntegerField()),
                ("units", models.PositiveBigIntegerField()),
                ("revenue_minor", models.BigIntegerField()),
                (
                    "product",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=models.CASCADE,
                        related_name="+",
                        to="holdfast_artisan_shop.product",
                    ),
                ),
                (
                    "shop",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=models.CASCADE,
                        related_name="+",
                        to="holdfast_artisan_shop.shop",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("shop", "month", "product"), name="holdfast_artisan_shop_sales_month_once"
                    )
                ],
            },
        ),
        migrations.AddField("shopday", "returning_orders", models.PositiveIntegerField(default=0)),
        migrations.AddField("shopday", "deliveries", models.PositiveIntegerField(default=0)),
        migrations.AddField("shopday", "deliveries_on_time", models.PositiveIntegerField(default=0)),
    ]
