"""The record of all jobs: one SQLite file, and the values that are read from it."""
