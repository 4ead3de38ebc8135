"""Adapters of the counter server's port."""
