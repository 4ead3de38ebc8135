"""The pictures of a product: to send, to put in order, to take away, and to look at."""

from typing import Any

from django.contrib import messages
from django.http import FileResponse, HttpRequest
from django.urls import reverse
from django.views.generic import View

from holdfast import errors
from holdfast_artisan_shop import services
from holdfast_artisan_shop.services.products import IMAGES_MAX
from storefront import pictures
from storefront.forms.keeping import ALT_LENGTH, PictureForm
from storefront.pages import RefusalsAnswered
from storefront.views.workshop import InShopDoingPage, OneWare, ShopFormPage


class WarePicturesView(OneWare, ShopFormPage):
    """All pictures of a product in their order, and a new one."""

    template_name = "storefront/workshop/pictures.html"
    form_class = PictureForm
    done = "There it is."

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Gather them."""
        shown = [(image, pictures.shown(image.url)) for image in self.product.images.all()]
        values = {"product": self.product, "pictures": shown, "room": len(shown) < IMAGES_MAX, "most": IMAGES_MAX}
        return super().get_context_data(**values, **kwargs)

    def run(self, form: Any) -> Any:
        """Keep it, and put it behind the others."""
        path = pictures.keep(product_id=self.product.pk, upload=form.cleaned_data["picture"])
        url = self.request.build_absolute_uri(path)
        images = [(image.url, image.alt) for image in self.product.images.all()]
        if path in [pictures.shown(one) for one, _alt in images]:
            return self.product  # the same picture once more
        images.append((url, form.cleaned_data["alt"]))
        try:
            return services.set_images(product_id=self.product.pk, actor_id=self.owner_id, images=images)
        except errors.Refusal:
            pictures.drop(product_id=self.product.pk, url=url)
            raise

    def where_to(self, result: Any) -> str:
        """Stay."""
        return reverse("storefront:shop-ware-pictures", args=[self.shop.pk, self.product.pk])


class ArrangePictureView(OneWare, InShopDoingPage):
    """Say what a picture shows, move it, or take it away."""

    def act(self, **kwargs: Any) -> None:
        """Set all of them anew: the verb knows them only together."""
        images = [(image.url, image.alt) for image in self.product.images.all()]
        url, step = self.request.POST.get("picture", ""), self.request.POST.get("step", "")
        place = next((place for place, (one, _alt) in enumerate(images) if one == url), None)
        if place is None:
            messages.error(self.request, "This picture is not there any more.")
            return
        _url, alt = images.pop(place)
        if step != "remove":
            to = {"earlier": max(place - 1, 0), "later": place + 1}.get(step, place)
            images.insert(to, (url, self.request.POST.get("alt", alt)[:ALT_LENGTH]))
        services.set_images(product_id=self.product.pk, actor_id=self.owner_id, images=images)
        if step == "remove":
            pictures.drop(product_id=self.product.pk, url=url)
        done = {"remove": "It is gone.", "earlier": "Moved.", "later": "Moved."}
        messages.success(self.request, done.get(step, "Saved."))

    def back(self, **kwargs: Any) -> str:
        """Return to the pictures."""
        return reverse("storefront:shop-ware-pictures", args=[kwargs["shop_id"], kwargs["product_id"]])


class PictureView(RefusalsAnswered, View):
    """A picture that is kept here, for everybody."""

    def get(self, request: HttpRequest, *_args: Any, **kwargs: Any) -> FileResponse:
        """Send it; what is named by its content may be remembered forever."""
        content = pictures.opened(product_id=kwargs["product_id"], name=kwargs["name"])
        headers = {"Cache-Control": "public, max-age=31536000, immutable"}
        return FileResponse(content, content_type="image/webp", headers=headers)
