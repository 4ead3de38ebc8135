"""The guide *Add a channel*, followed: its code, as it stands there, keeps the contract and tells an admin."""

import re
from pathlib import Path

import pytest

from holdfast.testing import drain_outbox
from holdfast_catalog_notify import services
from holdfast_catalog_notify.models import Delivery
from holdfast_catalog_notify.states import Mode
from holdfast_catalog_notify.testing import ChannelContract, make_product

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "guides" / "add-a-channel.md"


def channel_class():
    """Return the class that the guide writes first."""
    code = re.search(r"```python\n# myproject/ntfy\.py\n(.*?)```", GUIDE.read_text(), re.DOTALL)[1]
    module: dict = {}
    exec(compile(code, str(GUIDE), "exec"), module)
    return module["NtfyChannel"]


NtfyChannel = channel_class()


@pytest.mark.usefixtures("loopback")
class TestNtfy(ChannelContract):
    @pytest.fixture
    def channel(self, receiver):
        return NtfyChannel(url=receiver.url)


@pytest.mark.usefixtures("loopback")
@pytest.mark.django_db
def test_an_admin_turns_it_on_and_is_told(settings, receiver, bob):
    settings.HOLDFAST_CATALOG_NOTIFY = {
        "CHANNELS": {"phone": {"BACKEND": f"{__name__}.NtfyChannel"}},
        "DEFAULT_CHANNELS": [],
    }
    services.choose_channel(user_id=bob.pk, channel="phone", mode=Mode.IMMEDIATE, address=receiver.url)
    make_product(name="Lamp")
    drain_outbox()
    services.Worker().run()
    assert Delivery.objects.get().state == "sent"
    assert receiver.posted[0].body.decode().startswith("New: Lamp\n\n")
