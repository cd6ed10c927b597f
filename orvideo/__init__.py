"""Make videos through OpenRouter's asynchronous video API: submit, follow, fetch."""

# A literal: importlib.metadata.version() costs four interpreter starts.
__version__ = "0.1.0"
