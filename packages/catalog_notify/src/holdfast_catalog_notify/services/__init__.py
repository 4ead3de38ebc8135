"""The verbs of the catalog: the only writers."""

from holdfast_catalog_notify.services.counting import (
    count_views,
    forget_visitors,
    hour_of,
    record_views,
    report_time_zone,
    roll_up_views,
)

__all__ = [
    "count_views",
    "forget_visitors",
    "hour_of",
    "record_views",
    "report_time_zone",
    "roll_up_views",
]
