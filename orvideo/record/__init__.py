"""The record of every job: one SQLite file, and what is read from it as plain values."""
