"""Adapters of our ports."""
