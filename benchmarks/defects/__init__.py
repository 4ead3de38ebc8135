"""The list of defects, at a million of them."""
