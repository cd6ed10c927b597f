"""The HTTP client of the service: one method for each endpoint."""
