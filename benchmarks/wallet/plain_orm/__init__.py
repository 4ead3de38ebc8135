"""A reference app: a careful ledger posting with Django's ORM and nothing else. What a good team writes first."""
