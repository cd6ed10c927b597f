"""The wire: one method per endpoint of the service, and what goes over it."""
