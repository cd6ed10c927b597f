"""The gallery: a page of videos to look at, to compare and to choose from."""
