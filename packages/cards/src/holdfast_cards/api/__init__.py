"""Doors of cards for programs."""
