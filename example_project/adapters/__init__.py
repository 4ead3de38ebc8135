"""Where the project fills the domains' ports: with strangers, and with one another."""
