"""Benchmarks: orvideo beside what people would use instead, on loopback. `python -m bench` runs them all."""
