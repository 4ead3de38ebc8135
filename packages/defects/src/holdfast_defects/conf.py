"""The settings of the defects: one typed dict, ``HOLDFAST_DEFECTS``."""

from typing import Annotated

from holdfast.conf import AppSettings, BackendSpec


class DefectsSettings(AppSettings, setting="HOLDFAST_DEFECTS"):
    """What a host may choose; each read is late, so ``override_settings`` works."""

    COUNTER: Annotated[BackendSpec, "Who counts the defects that each user creates and deletes."] = {
        "BACKEND": "holdfast_defects.backends.dummy.DummyCounter"
    }


settings = DefectsSettings()
