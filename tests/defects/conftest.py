"""Who reports defects in these tests."""

import pytest
from rest_framework.test import APIClient

from holdfast_defects.testing import make_user


@pytest.fixture
def ada(db):
    return make_user()


@pytest.fixture
def bob(db):
    return make_user()


@pytest.fixture
def client(ada):
    """Ada's client; it is answered, whatever happens, as one over the network is."""
    return client_of(ada)


def client_of(user):
    client = APIClient(raise_request_exception=False)
    client.force_authenticate(user)
    return client
