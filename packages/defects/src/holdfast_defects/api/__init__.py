"""The HTTP API of the defects."""
