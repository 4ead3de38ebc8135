"""Who calls the test host."""

import pytest
from django.contrib.auth import get_user_model
from rest_framework.test import APIClient


@pytest.fixture
def user(db):
    return get_user_model().objects.create_user("anna")


@pytest.fixture
def client(user):
    """A client that is answered, whatever happens, as one over the network is."""
    client = APIClient(raise_request_exception=False)
    client.force_authenticate(user)
    return client
