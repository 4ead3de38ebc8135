"""Thin doors to services, for operators and schedulers."""
