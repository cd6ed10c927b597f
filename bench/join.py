"""Clips become a film as they are: `orvideo join` beside `ffmpeg -f concat -c copy`, all of the two counted."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from bench.measure import Failed, Goal, Part, Sample, ratio, rounds, run
from bench.peers import Peers, surroundings

#: Pictures with noise: as many bytes as those of a camera.
_CLIP = "testsrc2=s=1280x720:r=24:d={seconds},noise=alls=12:allf=t"


def measure_join(peers: Peers, *, quick: bool) -> Part:
    count, seconds, times = (4, 1, 2) if quick else (60, 5, 7)
    part = Part(f"Join: {count} clips of {seconds} s, 720p with sound")
    orvideo, ffmpeg = peers.orvideo_with_film(), "ffmpeg"
    if not peers.command(ffmpeg):
        raise Failed("there is no ffmpeg, which makes the clips")
    with tempfile.TemporaryDirectory(prefix="orvideo-bench-") as folder:
        home = Path(folder)
        clips = _clips(ffmpeg, home, count, seconds)
        env = surroundings(home)

        def joined() -> Sample:
            line = [str(orvideo), "join", *(clip.name for clip in clips), "-o", "orvideo.mp4", "--force", "-q"]
            return run(line, env=env, cwd=home)

        def concatenated() -> Sample:
            line = [ffmpeg, "-v", "error", "-y", "-f", "concat", "-i", "list.txt", "-c", "copy", "ffmpeg.mp4"]
            return run(line, env=env, cwd=home)

        def synced() -> Sample:
            """What is told as saved has to be on the disk: ffmpeg leaves that to the system."""
            line = ["sh", "-c", f'"$0" {_COPY} ffmpeg.mp4 && sync ffmpeg.mp4', ffmpeg]
            return run(line, env=env, cwd=home)

        contenders = {"orvideo": joined, "ffmpeg": concatenated, "ffmpeg, synced": synced}
        taken = rounds(contenders, times)
        part.compare("the whole command", taken, "ffmpeg")
        part.figures["bytes"] = (home / "orvideo.mp4").stat().st_size
        part.goals.append(Goal("wall time beside ffmpeg", ratio(taken["orvideo"], taken["ffmpeg"]), 1.5))
        part.goals.append(
            Goal("wall time beside ffmpeg, synced", ratio(taken["orvideo"], taken["ffmpeg, synced"]), 1.5)
        )
    return part


_COPY = "-v error -y -f concat -i list.txt -c copy"


def _clips(ffmpeg: str, folder: Path, count: int, seconds: int) -> list[Path]:
    """Make clips of their own files: one that is read again and again would be in memory."""
    first = folder / "clip.mp4"
    line = [
        ffmpeg, "-v", "error", "-y", "-f", "lavfi", "-i", _CLIP.format(seconds=seconds),
        "-f", "lavfi", "-i", f"sine=f=440:r=48000:d={seconds}", "-c:v", "libx264", "-preset", "veryfast",
        "-b:v", "6M", "-pix_fmt", "yuv420p", "-c:a", "aac", "-ac", "2", str(first),
    ]  # fmt: skip
    subprocess.run(line, check=True, capture_output=True)
    clips = [folder / f"clip-{number:02}.mp4" for number in range(count)]
    for clip in clips:
        clip.write_bytes(first.read_bytes())
    (folder / "list.txt").write_text("".join(f"file '{clip.name}'\n" for clip in clips))
    return clips
