"""The law of the ledger: triggers, the view of entries; see ``sql/``."""

from django.db import migrations

from holdfast_wallet.migrations._law import GiveLaw


class Migration(migrations.Migration):
    dependencies = [("holdfast_wallet", "0001_initial")]

    operations = [GiveLaw()]
