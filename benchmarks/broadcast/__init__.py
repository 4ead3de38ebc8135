"""The broadcast of the defects: the proof that nothing is lost, what it costs a request, and other ways to tell."""
