"""Stand-ins for outside systems: real HTTP servers, processes of their own, that know nothing of the project."""
