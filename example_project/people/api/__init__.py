"""People over HTTP: registration, the profile, and the three ways to sign in."""
