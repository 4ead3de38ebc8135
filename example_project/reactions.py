"""Who reacts to whose events: the wiring of the project, on one page."""
