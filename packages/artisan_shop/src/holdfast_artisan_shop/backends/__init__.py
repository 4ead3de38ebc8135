"""Adapters of the marketplace's ports."""
