"""The SIGKILL matrix: real processes die at every step, while a real HTTP server fails in every way."""
