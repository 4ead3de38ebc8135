"""Defects: reported by people, told to a counter server."""
