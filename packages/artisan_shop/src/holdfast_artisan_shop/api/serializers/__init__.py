"""What goes in and what comes out, split by topic."""
