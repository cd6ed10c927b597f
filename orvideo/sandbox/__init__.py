"""A local stand-in for the service: free, offline, with real films."""
