"""Catalog: every change told, every view counted."""
