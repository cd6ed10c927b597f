"""A video on its way to the disk: whole and under its name, or not under its name at all."""
