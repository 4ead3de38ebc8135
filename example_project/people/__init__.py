"""Who uses the project: accounts, roles, signing in by page, by token and by JWT."""
