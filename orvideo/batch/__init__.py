"""Many jobs out of one file: read whole, checked whole, priced whole, and run so that it can be stopped anywhere."""
