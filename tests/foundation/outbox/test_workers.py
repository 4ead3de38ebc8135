"""The relay's threads: started when needed, gone when idle, not to be killed by a job."""

import threading

import pytest

from holdfast.outbox import workers
from holdfast.outbox.workers import Threads


@pytest.fixture
def threads():
    made = Threads("test workers", 3)
    yield made
    made.close(wait=True)
    assert alive() == []


def alive():
    return [thread for thread in threading.enumerate() if thread.name == "test workers"]


def test_as_many_jobs_run_at_once_as_there_are_threads(threads):
    meeting = threading.Barrier(4)
    for _ in range(3):
        threads.submit(lambda: meeting.wait(30))
    meeting.wait(30)


def test_more_jobs_than_threads_are_all_done(threads):
    done = threading.Semaphore(0)
    for _ in range(50):
        threads.submit(done.release)
    assert all(done.acquire(timeout=30) for _ in range(50))
    assert len(alive()) <= 3


def test_a_job_that_fails_takes_no_thread_with_it(threads, caplog):
    done = threading.Semaphore(0)

    def fail():
        raise RuntimeError("boom")

    for _ in range(6):
        threads.submit(fail)
    for _ in range(3):
        threads.submit(done.release)
    assert all(done.acquire(timeout=30) for _ in range(3))
    assert "A worker of test workers failed." in caplog.text


def test_an_idle_thread_ends_and_another_one_is_started_for_the_next_job(monkeypatch):
    monkeypatch.setattr(workers, "IDLE_SECONDS", 0.01)
    threads, done = Threads("test workers", 1), threading.Semaphore(0)
    for _ in range(3):
        threads.submit(done.release)
        assert done.acquire(timeout=30)
        for thread in alive():
            thread.join(30)
        assert alive() == []
    threads.close(wait=True)
