"""Thin doors to services."""
