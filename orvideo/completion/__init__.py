"""Completion by TAB: `tree` reads the app, a module per shell writes its script, `live` answers what changes.

`python -m orvideo.completion` writes the scripts into `completions/`.
"""
