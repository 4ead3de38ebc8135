"""Looking on: what is committed is seen, once, in every process that follows."""

import threading

import pytest
from django.db import Error, OperationalError, connection, transaction

from holdfast.outbox import emit, feed
from holdfast.outbox.feed import Feed, Follower
from holdfast.outbox.models import OutboxEvent
from tests.foundation.outbox.facts import Mentioned, Noted

# Another thread looks: it sees what is committed. SQLite's database in memory shares its locks between connections.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]

EVERYTHING = ["outbox_tests.*"]


@pytest.fixture
def follow():
    """Follow a feed of this test's own; each follower waits for what it is to see."""
    made, followers = Feed("default"), []

    def followed(patterns=EVERYTHING, *, after=None, limit=9, owner=None, limit_each=9):
        follower = Follower(patterns, owner=owner)
        follower.woken = threading.Event()
        follower.wake = follower.woken.set
        if not made.follow(follower, after=after, limit=limit, limit_each=limit_each):
            return None
        followers.append(follower)
        return follower

    followed.feed = made
    yield followed
    for follower in followers:
        made.leave(follower)
    for thread in threads():
        thread.join(30)


def threads():
    return [thread for thread in threading.enumerate() if thread.name == "holdfast feed"]


def seen(follower, count):
    envelopes = follower.take()
    while len(envelopes) < count:
        assert follower.woken.wait(30)
        follower.woken.clear()
        envelopes += follower.take()
    return envelopes


def test_all_followers_see_what_is_committed_and_concerns_them(follow, tell):
    everything, notes = follow(), follow([Noted.type])

    tell(Mentioned(topic="a"), Noted(topic="a", number=1))

    assert [envelope.type for envelope in seen(everything, 2)] == [Mentioned.type, Noted.type]
    assert [envelope.event for envelope in seen(notes, 1)] == [Noted(topic="a", number=1)]
    assert len(threads()) == 1


def test_who_comes_again_sees_what_came_in_between(follow, tell):
    first = follow()
    tell(*(Noted(topic="a", number=number) for number in range(3)))
    position = seen(first, 3)[0].sequence

    assert [envelope.payload["number"] for envelope in seen(follow(after=position), 2)] == [1, 2]
    follow.feed.leave(first)
    assert follow().take() == []


def test_what_commits_after_an_event_with_a_higher_position_is_seen_all_the_same(follow, tell):
    follower = follow()
    slow_may_end, slow_has_emitted = threading.Event(), threading.Event()

    def slow():
        with transaction.atomic():
            emit(Noted(topic="slow"))
            slow_has_emitted.set()
            assert slow_may_end.wait(30)
        connection.close()

    thread = threading.Thread(target=slow)
    thread.start()
    assert slow_has_emitted.wait(30)
    tell(Noted(topic="quick"))
    quick = seen(follower, 1)
    slow_may_end.set()
    thread.join(30)

    late = seen(follower, 1)
    assert [envelope.key for envelope in quick + late] == ["quick", "slow"]
    assert late[0].sequence < quick[0].sequence


def test_what_a_purge_brings_back_into_sight_is_not_new(follow, tell, monkeypatch):
    monkeypatch.setattr(feed, "WINDOW", 2)
    follower = follow()
    for number in range(4):
        tell(Noted(topic="a", number=number))
        seen(follower, 1)
    OutboxEvent.objects.filter(payload__number__in=[2, 3]).delete()

    tell(Noted(topic="a", number=4))

    assert [envelope.payload["number"] for envelope in seen(follower, 1)] == [4]
    tell(Noted(topic="a", number=5))
    assert [envelope.payload["number"] for envelope in seen(follower, 1)] == [5]


def test_there_is_room_for_so_many_and_again_when_one_has_left(follow):
    first = follow(limit=1)

    assert follow(limit=1) is None
    follow.feed.leave(first)
    assert follow(limit=1) is not None


def test_the_thread_ends_with_the_last_follower_and_another_begins_with_the_next(follow, tell):
    for number in range(2):
        follower = follow()
        tell(Noted(topic="a", number=number))
        assert [envelope.payload["number"] for envelope in seen(follower, 1)] == [number]
        follow.feed.leave(follower)
        for thread in threads():
            thread.join(30)
        assert threads() == []


def test_who_does_not_read_loses_the_oldest(follow, tell, monkeypatch):
    monkeypatch.setattr(feed, "WINDOW", 3)
    follower = follow()
    for number in range(5):
        tell(Noted(topic="a", number=number))
        assert follower.woken.wait(30)
        follower.woken.clear()
    assert [envelope.payload["number"] for envelope in follower.take()] == [2, 3, 4]


def test_without_the_database_the_followers_are_told_to_come_again(follow, tell, monkeypatch, caplog):
    follower = follow()

    def down(_using):
        raise OperationalError("gone")

    with monkeypatch.context() as patch:
        patch.setattr(feed, "_newest", down)
        tell(Noted(topic="a"))
        assert follower.woken.wait(30)
        assert follower.ended
        with pytest.raises(Error):
            follow()
    assert "The feed of events ends" in caplog.text
    assert not follow().ended
