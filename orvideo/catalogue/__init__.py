"""What the models can do and what they cost."""
