"""Adapters of the wallet's ports."""
