"""The HTTP API of the catalog."""
