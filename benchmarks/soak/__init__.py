"""The soak: mixed traffic while everything around the web server is killed; afterwards everything adds up."""
