"""The HTTP API: doors to the verbs and the reads, split by topic."""
