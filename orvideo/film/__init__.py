"""Pictures out of videos, and videos out of videos: stills, sheets."""
