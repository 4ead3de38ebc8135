"""Pictures of products: made small, without what a camera writes into them, kept wherever ``STORAGES`` says.

A picture is named by its content, so its address never shows anything else and may be remembered forever.
"""

import hashlib
import re
from io import BytesIO
from typing import IO, Any
from urllib.parse import urlsplit
from uuid import UUID

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import UploadedFile
from django.urls import reverse
from PIL import Image, ImageOps

from storefront.exceptions import PictureInvalid, PictureNotFound

BYTES_MAX = 8 * 1024 * 1024
PIXELS_MAX = 60_000_000
SIDE = 1_600
FORMATS = ("JPEG", "PNG", "WEBP")
_NAME = re.compile(r"[0-9a-f]{32}")
_OWN = re.compile(r".*/pictures/([0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})/([0-9a-f]{32})\.webp")


def keep(*, product_id: UUID, upload: "UploadedFile[Any]") -> str:
    """Keep what somebody has sent as a picture of a product; return its path. Raises ``PictureInvalid``."""
    if not upload.size or upload.size > BYTES_MAX:
        raise PictureInvalid(maximum_bytes=BYTES_MAX)
    content = _shrunk(upload)
    name = hashlib.sha256(content).hexdigest()[:32]
    if not default_storage.exists(_file(product_id, name)):
        default_storage.save(_file(product_id, name), ContentFile(content))
    return reverse("storefront:picture", args=[product_id, name])


def drop(*, product_id: UUID, url: str) -> None:
    """Delete the file of a product's picture that is kept here; what lies elsewhere, or is another product's, stays."""
    own = _OWN.fullmatch(urlsplit(url).path)
    if own and own[1] == str(product_id):
        default_storage.delete(_file(product_id, own[2]))


def opened(*, product_id: UUID, name: str) -> IO[Any]:
    """Return the file of a picture. Raises ``PictureNotFound``."""
    if not _NAME.fullmatch(name):
        raise PictureNotFound
    try:
        return default_storage.open(_file(product_id, name))
    except FileNotFoundError:
        raise PictureNotFound from None


def shown(url: str) -> str:
    """Return the address that a page shows a picture by: our own without a host, others' only if they are safe.

    So a site that is called otherwise tomorrow still finds its pictures.
    """
    path = urlsplit(url).path
    if _OWN.fullmatch(path):
        return path
    return url if url.startswith("https://") else ""


def _file(product_id: UUID, name: str) -> str:
    return f"pictures/{product_id}/{name}.webp"


def _shrunk(upload: "UploadedFile[Any]") -> bytes:
    try:
        with Image.open(upload, formats=FORMATS) as image:
            upright = _upright(image)
    except PictureInvalid:
        raise
    except Exception as error:  # a broken file raises whatever its reader stumbles over
        raise PictureInvalid from error
    upright.thumbnail((SIDE, SIDE))
    # The bare pixels: position, camera and comments stay behind.
    bare = Image.new(upright.mode, upright.size)
    bare.paste(upright)
    content = BytesIO()
    bare.save(content, "WEBP", quality=82)
    return content.getvalue()


def _upright(image: Image.Image) -> Image.Image:
    # Only its head has been read so far: a file of a few bytes may claim to be as large as a house.
    if image.width * image.height > PIXELS_MAX:
        raise PictureInvalid(maximum_pixels=PIXELS_MAX)
    image.draft("RGB", (SIDE, SIDE))
    return ImageOps.exif_transpose(image).convert("RGBA" if image.has_transparency_data else "RGB")
