#!/usr/bin/env python3
"""Speaks sayings.txt: make_set.py FOLDER [tune|test] [seed]

Writes FOLDER/<half>-<class>-<voice>-<n>.wav (8 kHz mono, PCM16, clean) and FOLDER/list.txt: half|class|voice|file, in the order of the files' names.
Voices, their speeds and pitches differ between the halves; the same seed gives the same set with the same espeak-ng and sox. Without
a half both are made. Exits with 77 where espeak-ng or sox is missing.
"""
import random
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

# Variants of espeak-ng that are understood; whispering and croaking ones are left out.
VOICES = {
    "tune": ["female1", "female3", "male1", "Annie", "Denis", "klatt2"],
    "test": ["female2", "female5", "male4", "Linda", "Mario", "klatt4"],
}
LANGUAGES = {"zh": "cmn-latn-pinyin", "en": "en-us"}


def sayings():
    text = Path(__file__).with_name("sayings.txt").read_text(encoding="utf-8")
    return [line.split("|") for line in text.splitlines() if line and not line.startswith("#")]


def jobs(rng):
    """Each saying by two voices of its half. A voice keeps its speed and pitch, so that beginnings which sayings share sound alike, as
    a carrier's do."""
    manner = {v: (rng.randint(135, 185), rng.randint(35, 65)) for half in sorted(VOICES) for v in VOICES[half]}
    counts = {}
    for half, kind, lang, said, _ in sayings():
        n = counts[half, kind] = counts.get((half, kind), 0) + 1
        for voice in rng.sample(VOICES[half], 2):
            yield half, kind, voice, n, lang, said, *manner[voice]


def speak(folder, half, kind, voice, n, lang, said, speed, pitch):
    name = f"{half}-{kind}-{voice}-{n}.wav"
    raw = folder / f"{name}.raw.wav"
    subprocess.run(["espeak-ng", "-v", f"{LANGUAGES[lang]}+{voice}", "-s", str(speed), "-p", str(pitch), "-w", str(raw), said],
                   check=True, stdin=subprocess.DEVNULL)
    subprocess.run(["sox", str(raw), "-b", "16", "-r", "8000", "-c", "1", "-D", str(folder / name), "gain", "-6", "highpass", "200",
                    "lowpass", "3400", "norm", "-9"], check=True)
    raw.unlink()
    return f"{half}|{kind}|{voice}|{name}"


def make(folder, half="", seed=1):
    folder.mkdir(parents=True, exist_ok=True)
    todo = [job for job in jobs(random.Random(seed)) if half in ("", job[0])]
    with ThreadPoolExecutor(2) as pool:
        lines = list(pool.map(lambda job: speak(folder, *job), todo))
    (folder / "list.txt").write_text("\n".join(sorted(lines)) + "\n")


def can():
    return shutil.which("espeak-ng") and shutil.which("sox")


if __name__ == "__main__":
    if not can():
        print("espeak-ng or sox is missing")
        sys.exit(77)
    make(Path(sys.argv[1]), *sys.argv[2:3], *map(int, sys.argv[3:4]))
