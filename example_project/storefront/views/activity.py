"""What happened to me."""

from typing import Any

from django.http import HttpRequest, HttpResponseBase

from storefront import notices
from storefront.pages import Page

SHOWN = 50


class ActivityView(Page):
    """My notices, newest first; looking at them is reading them."""

    template_name = "storefront/activity.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Show them as they were, and remember that they were seen."""
        shown = list(notices.of(user_id=self.owner_id)[:SHOWN])
        notices.read_all(user_id=self.owner_id)
        return self.render_to_response(self.get_context_data(notices=shown, **kwargs))
