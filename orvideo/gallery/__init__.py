"""The gallery: a page of videos, as one file or alive on loopback."""
