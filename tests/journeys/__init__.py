"""Stories through several rooms, in the example project."""
