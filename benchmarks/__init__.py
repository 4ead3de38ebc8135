"""Side by side with peers: every system in rotation, in one run, on one durable PostgreSQL. See README.md."""
