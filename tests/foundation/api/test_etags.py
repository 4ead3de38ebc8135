"""Only the version that was read is changed."""

import pytest
from django.test import RequestFactory

from holdfast.api.etags import PreconditionFailed, PreconditionRequired, etag_of, expected_version
from tests.foundation.host.models import Note


@pytest.fixture
def note(db):
    return Note.objects.create(text="a", rank=3)


def put(client, note, **headers):
    return client.put(f"/api/notes/{note.pk}", {"text": "b"}, format="json", headers=headers)


def test_the_version_that_was_read_is_changed_and_gets_a_new_tag(client, note):
    tag = client.get(f"/api/notes/{note.pk}").headers["ETag"]
    assert tag == etag_of(3)

    response = put(client, note, if_match=tag)
    assert (response.status_code, response.headers["ETag"]) == (200, etag_of(4))


@pytest.mark.parametrize("header", ["*", '"2", "3"', ' "3" '])
def test_any_of_the_tags_may_match(client, note, header):
    assert put(client, note, if_match=header).status_code == 200


@pytest.mark.parametrize("header", ['"2"', 'W/"3"', "3", '"2", "4"', "ü"])
def test_another_version_is_not_changed(client, note, header):
    response = put(client, note, if_match=header)

    assert (response.status_code, response.json()["code"]) == (412, "holdfast.precondition_failed")
    assert response.json()["context"] == {"current": '"3"'}
    note.refresh_from_db()
    assert (note.text, note.rank) == ("a", 3)


@pytest.mark.parametrize("headers", [{}, {"if_match": ""}, {"if_match": " "}])
def test_who_does_not_say_which_version_is_asked(client, note, headers):
    response = put(client, note, **headers)

    assert (response.status_code, response.json()["code"]) == (428, "holdfast.precondition_required")


def test_a_precondition_may_be_optional(client, note):
    assert client.delete(f"/api/notes/{note.pk}", headers={"If-Match": '"2"'}).status_code == 412
    assert client.delete(f"/api/notes/{note.pk}").status_code == 204


def if_match(header):
    return RequestFactory().put("/", headers={} if header is None else {"If-Match": header})


@pytest.mark.parametrize(("header", "version"), [('"3"', 3), (' "3" ', 3), ('"3.65f0"', 3), ("*", None)])
def test_a_verb_gets_the_version_that_it_checks_itself(header, version):
    assert expected_version(if_match(header)) == version


@pytest.mark.parametrize("header", ['W/"3"', "3", '"3", "4"', '"three"', '"-3"', '"' + "9" * 30 + '"', "ü"])
def test_what_no_version_of_ours_can_be_matches_none(header):
    with pytest.raises(PreconditionFailed):
        expected_version(if_match(header))


@pytest.mark.parametrize("header", [None, "", " "])
def test_a_version_must_be_named_where_it_is_required_and_only_there(header):
    assert expected_version(if_match(header), required=False) is None
    with pytest.raises(PreconditionRequired):
        expected_version(if_match(header))
