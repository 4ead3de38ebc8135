"""The addresses of the test host's doors."""

from django.urls import path
from drf_spectacular.views import SpectacularAPIView

from holdfast.health import views as health
from tests.foundation.host import views

urlpatterns = [
    path("api/notes", views.NotesView.as_view()),
    path("api/notes/ranked", views.NotesView.as_view(ordering=["-rank", "id"])),
    path("api/notes/dated", views.NotesView.as_view(ordering=["written_on", "rank", "id"])),
    path("api/notes/latest", views.NotesView.as_view(ordering=["-written_at", "-uid"])),
    path("api/notes/weighed", views.NotesView.as_view(ordering=["weight", "text"])),
    path("api/notes/heaviest", views.NotesView.as_view(ordering=["-weight", "text"])),
    path("api/notes/slow", views.SlowNotesView.as_view()),
    path("api/notes/fickle", views.FickleNotesView.as_view()),
    path("api/notes/twice", views.TwiceCommittingView.as_view()),
    path("api/notes/keys", views.KeyKeepingView.as_view()),
    path("api/notes/search", views.QueryView.as_view()),
    path("api/notes/raw", views.RawQueryView.as_view()),
    path("api/notes/<int:note_id>", views.NoteView.as_view()),
    path("api/endings/<slug:ending>", views.EndingView.as_view()),
    path("api/stream", views.StreamView.as_view()),
    path("api/throttled", views.ThrottledView.as_view()),
    path("api/trace", views.TraceView.as_view()),
    path("api/schema", SpectacularAPIView.as_view()),
    path("api/crash", views.crash),
    path("hosts/own", views.HostsOwnView.as_view()),
    path("pages/crash", views.crash),
    path("pages/forbidden", views.forbid),
    path("pages/page", views.page),
    path("ping/", health.ping),
    path("health/", health.health),
]
