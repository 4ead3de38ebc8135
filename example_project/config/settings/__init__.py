"""Settings: ``base`` for all, and one module for each place where the project runs."""
