"""Multi-currency wallets on a double-entry ledger whose law is in the database."""
