"""Counting views: against django-hitcount, against one UPDATE for each hit, and what it costs the reader."""
