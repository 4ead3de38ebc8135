"""Webhooks: events told to receivers outside, signed by Standard Webhooks (https://www.standardwebhooks.com)."""
