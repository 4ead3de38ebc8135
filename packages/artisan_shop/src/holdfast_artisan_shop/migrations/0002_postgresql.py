from django.db import migrations

# What only PostgreSQL has, and no model can say: room in the pages of the stock, so that an update stays in its page,
# and the words of the products, made by the database itself.
STATEMENTS = [
    (
        "ALTER TABLE holdfast_artisan_shop_stock SET (fillfactor = 70)",
        "ALTER TABLE holdfast_artisan_shop_stock RESET (fillfactor)",
    ),
    (
        """
        ALTER TABLE holdfast_artisan_shop_product ADD COLUMN words tsvector GENERATED ALWAYS AS (
            setweight(to_tsvector('simple', name), 'A') || setweight(to_tsvector('simple', description), 'B')
        ) STORED
        """,
        "ALTER TABLE holdfast_artisan_shop_product DROP COLUMN words",
    ),
    (
        "CREATE INDEX holdfast_artisan_shop_product_words ON holdfast_artisan_shop_product USING gin (words)",
        "DROP INDEX holdfast_artisan_shop_product_words",
    ),
]


def forwards(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        for statement, _undo in STATEMENTS:
            schema_editor.execute(statement)


def backwards(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        for _statement, undo in reversed(STATEMENTS):
            schema_editor.execute(undo)


class Migration(migrations.Migration):
    dependencies = [("holdfast_artisan_shop", "0001_initial")]

    operations = [migrations.RunPython(forwards, backwards)]
