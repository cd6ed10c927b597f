"""All that reaches the terminal."""
