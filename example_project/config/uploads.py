"""No more is read of what somebody sends than anything here can use."""

from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler

MAX_BYTES = 16 * 1024 * 1024


class BoundedUpload(FileUploadHandler):
    """Refuses a form that says it is larger, before the first of its files is on our disk; stores nothing itself."""

    def handle_raw_input(self, input_data: Any, META: Any, content_length: int, *_rest: Any, **_options: Any) -> None:  # noqa: N803 - Django's name
        """Look at the length: a form that says none is not read at all."""
        if content_length > MAX_BYTES:
            raise RequestDataTooBig("The files are larger than anything here can use.")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        """Pass it on to who stores it."""
        return raw_data

    def file_complete(self, file_size: int) -> "UploadedFile[Any] | None":
        """Leave it to who has stored it."""
        return None
