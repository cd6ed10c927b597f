"""Other systems, tried on Linux: shims that make this Python as poor as theirs, and a Windows Python under wine."""
