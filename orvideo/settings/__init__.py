"""Settings from flags, the environment, config.toml and defaults, and the API key in a file of its own."""
