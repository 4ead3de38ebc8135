"""The views, split by topic: parse, call one verb or read, render."""
