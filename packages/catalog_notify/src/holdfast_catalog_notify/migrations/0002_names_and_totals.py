import django.utils.timezone
from django.db import migrations, models
from django.db.models import Count, IntegerField, OuterRef, Subquery
from django.db.models.functions import Coalesce


def count(apps, schema_editor):
    """Give each change set that there is the number of its changes."""
    using = schema_editor.connection.alias
    changes = apps.get_model("holdfast_catalog_notify", "Change").objects.using(using).order_by()
    of_one = changes.filter(change_set=OuterRef("pk")).values("change_set").annotate(number=Count("pk"))
    total = Coalesce(Subquery(of_one.values("number"), output_field=IntegerField()), 0)
    apps.get_model("holdfast_catalog_notify", "ChangeSet").objects.using(using).update(total=total)


class Migration(migrations.Migration):
    dependencies = [("holdfast_catalog_notify", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="brand",
            name="updated_at",
            field=models.DateTimeField(default=django.utils.timezone.now, editable=False),
        ),
        migrations.AddField(
            model_name="category",
            name="updated_at",
            field=models.DateTimeField(default=django.utils.timezone.now, editable=False),
        ),
        migrations.AddField(
            model_name="changeset",
            name="total",
            field=models.PositiveIntegerField(default=0, editable=False, help_text="How many products."),
        ),
        migrations.RunPython(count, migrations.RunPython.noop),
    ]
