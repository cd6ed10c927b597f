"""Signing in through the browser: OAuth with PKCE, and a listener on this machine that the browser comes back to."""
