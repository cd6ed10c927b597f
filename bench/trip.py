"""The whole trip as a process, submit to file on disk, and the throughput of one download."""

from __future__ import annotations

import shutil
import statistics
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.measure import GIB, MIB, Goal, Part, Sample, median, ratio, rounds, run, serving
from bench.peers import Peers, surroundings
from bench.server import CERTIFICATE

SCRIPTS = Path(__file__).with_name("scripts")
ORDER = ["a paper boat", "-m", "google/veo-3.1-lite", "-d", "4", "-r", "720p"]


@dataclass
class Track:
    """Where trips are made: a folder that is emptied after each, and a service."""

    folder: Path
    base_url: str
    tls: bool = False

    def of(self, *command: str | Path, output: str = "film.mp4") -> Callable[[], Sample]:
        """Return what runs a command once and removes what it saved; `OUT` in it stands for the file."""
        out = self.folder / output
        words = [str(out) if word == "OUT" else str(word) for word in command]
        env = surroundings(self.folder, self.base_url, **_trusting(self.tls))

        def once() -> Sample:
            sample = run(words, env=env, cwd=self.folder)
            assert out.stat().st_size, f"{words[0]} saved nothing"
            out.unlink()
            return sample

        return once


def measure_trips(peers: Peers, *, quick: bool) -> Part:
    """Measure 10 MiB and 1 GiB from submit to disk: orvideo, curl and jq, the SDK both ways, httpx.

    The film comes in chunks, as the service sends it; a GiB also with its length, as a store sends it.
    """
    part = Part("The whole trip: submit, look, download to disk, as a process")
    cases: list[tuple[str, int, int, list[str]]] = [
        ("10 MiB", 10 * MIB, 15, []),
        ("1 GiB", GIB, 9, []),
        ("1 GiB, with its length", GIB, 9, ["--stored"]),
    ]
    if quick:
        cases = [("10 MiB", MIB, 1, [])]
    peaks = {}
    for title, size, times, options in cases:
        with _Course("--size", str(size), *options) as track:
            contenders = _contenders(peers, track)
            taken = rounds(contenders, times, warm=times > 1)
            part.compare(title, taken, "curl + jq")
            if greedy := _greedy(peers, track):
                beside = {name: once for name, once in contenders.items() if name == "curl + jq"}
                part.compare(f"{title}, all of it in memory", rounds(beside | greedy, 1 + times // 3), "curl + jq")
        ours = taken["orvideo"]
        peaks[title] = median(ours, "peak") / 1e6
        first = size < GIB
        if "curl + jq" in taken:
            part.goals.append(
                Goal(f"{title}, beside curl + jq", ratio(ours, taken["curl + jq"]), 2.0 if first else 1.5)
            )
        if "SDK, streaming" in taken:
            part.goals.append(
                Goal(f"{title}, beside the SDK", ratio(ours, taken["SDK, streaming"]), 0.6 if first else 0.85)
            )
        part.goals.append(Goal(f"{title}, peak memory", peaks[title], 46, unit="MB"))
    part.goals.append(Goal("peak memory, from size to size", max(peaks.values()) - min(peaks.values()), 2, unit="MB"))
    part.skipped = [f"{name}: {why}" for name, why in peers.missing.items()]
    return part


def _contenders(peers: Peers, track: Track) -> dict[str, Callable[[], Sample]]:
    base = track.base_url
    found: dict[str, Callable[[], Sample]] = {}
    found["orvideo"] = track.of(peers.orvideo(), "submit", *ORDER, "--wait", "-o", "OUT")
    if peers.command("curl", "jq"):
        found["curl + jq"] = track.of(SCRIPTS / "trip.sh", base, ORDER[0], "OUT")
    if httpx := peers.python_of("httpx"):
        found["httpx alone"] = track.of(httpx, SCRIPTS / "httpx_trip.py", base, "OUT")
    if sdk := peers.python_of("openrouter"):
        found["SDK, streaming"] = track.of(sdk, SCRIPTS / "sdk_trip.py", base, "OUT", "stream")
    return found


def _greedy(peers: Peers, track: Track) -> dict[str, Callable[[], Sample]]:
    """Return who takes two gigabytes of memory for one: a virtual machine's host takes that back and gives it again.

    Whoever came next would pay for it, so they have rounds of their own.
    """
    sdk = peers.python_of("openrouter")
    script = SCRIPTS / "sdk_trip.py"
    return {"SDK, .read()": track.of(sdk, script, track.base_url, "OUT", "read")} if sdk else {}


def measure_throughput(peers: Peers, *, quick: bool) -> Part:
    """Measure `orvideo download` of one file beside curl, which only writes it; start-up is taken off both.

    Start-up is the same command for a film of 1 KiB. Shares are of curl's time in the same round.
    """
    part = Part("Throughput of one download")
    size = 4 * MIB if quick else GIB
    if not peers.command("curl"):
        part.skipped = ["curl: not on this machine, and nothing to compare with"]
        return part
    # What a line of a gigabit brings, and one of 2.5. No line goes beyond that, and there is no goal.
    ways = {
        "": [],
        ", with its length": ["--stored"],
        ", TLS": ["--tls"],
        ", with its length, TLS": ["--stored", "--tls"],
    }
    cases: list[tuple[str, list[str], int, float | None]] = [
        (f"{rate} MiB/s{way}", [*options, "--rate", str(rate * MIB)], 2 * rate * MIB, least)
        for rate, least in ((125, 0.99), (312, 0.97))
        for way, options in ways.items()
    ]
    cases += [(f"no limit{way}", options, size, None) for way, options in ways.items()]
    if quick:
        cases = [("TLS", ["--tls"], size, None)]
    rows: list[list[str]] = []
    names: list[str] = []
    for name, options, amount, least in cases:
        start = _download_times(peers, [*options, "--size", "1024"], 1 if quick else 4)
        taken = _download_times(peers, [*options, "--size", str(amount)], 1 if quick else 4)
        # The quickest start, since nothing can make a start quicker than it is.
        off = {who: min(sample.wall for sample in samples) for who, samples in start.items()}
        times = {who: [max(s.wall - off[who], 1e-3) for s in samples] for who, samples in taken.items()}
        names = list(times)
        shares = {
            who: statistics.median(curl / own for curl, own in zip(times["curl"], walls, strict=True))
            for who, walls in times.items()
        }
        speeds = {who: amount / MIB / statistics.median(walls) for who, walls in times.items()}
        rows.append([name, *(f"{speeds[who]:.0f} ({shares[who]:.2f})" for who in names)])
        part.figures[name] = {"mib_s": speeds, "of curl's": shares}
        if least is not None:
            part.goals.append(Goal(f"{name}, beside curl", shares["orvideo"], least, least=True, unit="of its speed"))
    part.table("MiB/s, start-up taken off (and the share of curl's speed)", ["", *names], rows)
    part.skipped = [f"{name}: {why}" for name, why in peers.missing.items()]
    return part


def _download_times(peers: Peers, options: list[str], times: int) -> dict[str, list[Sample]]:
    with _Course(*options, tls="--tls" in options) as track:
        env = surroundings(track.folder, track.base_url, **_trusting(track.tls))
        run([str(peers.orvideo()), "submit", *ORDER], env=env, cwd=track.folder)
        url = f"{track.base_url}/videos/bench-00000001/content?index=0"
        key = f"Authorization: Bearer {env['OPENROUTER_API_KEY']}"
        contenders = {
            "curl": track.of("curl", "-sSf", "-H", key, "-o", "OUT", url),
            "orvideo": track.of(peers.orvideo(), "download", "--force", "@1", "-o", "OUT"),
        }
        if httpx := peers.python_of("httpx"):
            contenders["httpx alone"] = track.of(httpx, SCRIPTS / "httpx_get.py", url, "OUT")
        return rounds(contenders, times, warm=times > 1)


def _trusting(tls: bool) -> dict[str, str]:
    return {"SSL_CERT_FILE": str(CERTIFICATE), "CURL_CA_BUNDLE": str(CERTIFICATE)} if tls else {}


class _Course:
    """A service and a folder, for as long as it is entered."""

    def __init__(self, *options: str, tls: bool = False) -> None:
        self._serving = serving(*options)
        self._tls = tls

    def __enter__(self) -> Track:
        self._folder = Path(tempfile.mkdtemp(prefix="orvideo-bench-"))
        return Track(self._folder, self._serving.__enter__().base_url, self._tls)

    def __exit__(self, *how: object) -> None:
        self._serving.__exit__(None, None, None)
        shutil.rmtree(self._folder)
