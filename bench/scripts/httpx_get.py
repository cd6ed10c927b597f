"""One download with httpx alone, as fast as it goes. Usage: httpx_get.py URL OUTPUT."""

import os
import sys

import httpx

url, output = sys.argv[1:]
headers = {"Authorization": f"Bearer {os.environ['OPENROUTER_API_KEY']}", "Accept-Encoding": "identity"}
with httpx.Client(headers=headers, timeout=60) as client, client.stream("GET", url) as answer:
    answer.raise_for_status()
    with open(output, "wb", buffering=0) as file:
        for piece in answer.iter_raw():
            file.write(piece)
