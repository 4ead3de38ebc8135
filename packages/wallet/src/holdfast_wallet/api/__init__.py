"""The wallet over HTTP: parse, call one verb, render."""
