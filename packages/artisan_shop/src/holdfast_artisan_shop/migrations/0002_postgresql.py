from django.db import DatabaseError, migrations, transaction

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

# Trigrams find the word that was meant where another was typed. Who may not create an extension goes without: see
# backends/search.py. The extension stays where it is undone: others may use it.
EXTENSION = "CREATE EXTENSION IF NOT EXISTS pg_trgm"
TRIGRAMS = "holdfast_artisan_shop_word_trigrams"


def forwards(apps, schema_editor):
    connection = schema_editor.connection
    if connection.vendor != "postgresql":
        return
    for statement, _undo in STATEMENTS:
        schema_editor.execute(statement)
    try:
        with transaction.atomic(using=connection.alias):
            schema_editor.execute(EXTENSION)
            schema_editor.execute(
                f"CREATE INDEX {TRIGRAMS} ON holdfast_artisan_shop_word USING gin (word gin_trgm_ops)"
            )
    except DatabaseError:
        return  # neither is there then


def backwards(apps, schema_editor):
    if schema_editor.connection.vendor != "postgresql":
        return
    schema_editor.execute(f"DROP INDEX IF EXISTS {TRIGRAMS}")
    for _statement, undo in reversed(STATEMENTS):
        schema_editor.execute(undo)


class Migration(migrations.Migration):
    dependencies = [("holdfast_artisan_shop", "0001_initial")]

    operations = [migrations.RunPython(forwards, backwards)]
