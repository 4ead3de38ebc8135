"""The pages: server-rendered, one design, thin over the domains' services and selectors."""
