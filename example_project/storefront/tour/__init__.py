"""The tour: the demo's one story, walked through its HTTP API like anybody's program would.

``story`` is the story, ``calls`` how its people call the API, ``report`` what is printed of it. None of them knows a
model or a service. Whatever answer does not belong to the story, ends it.
"""

from storefront.tour.calls import Api, Astray
from storefront.tour.report import Report
from storefront.tour.story import Tour

__all__ = ["Api", "Astray", "Report", "Tour"]
