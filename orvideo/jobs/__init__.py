"""The life of a job: submitted once, followed to its end, fetched whole, and on record all the way."""
