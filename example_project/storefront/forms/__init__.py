"""What people type: a form reads it, the verb decides."""
