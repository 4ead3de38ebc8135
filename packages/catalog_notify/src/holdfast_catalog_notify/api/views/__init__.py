"""The doors: parse, call one verb, render."""
