"""The API conventions of every domain: one base view, problem documents, pages, preconditions, the OpenAPI document."""
