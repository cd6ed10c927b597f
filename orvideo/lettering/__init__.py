"""Text in pictures: fonts of this machine for letters of any script, set and drawn."""
