"""Downloading videos: a video has its final name only when it is complete."""
