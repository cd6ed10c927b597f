"""Shell completion: `spec` reads the app, one module a shell generates its script, `answer` runs at each TAB.

`python -m orvideo.completion` writes the scripts into `completions/`.
"""
