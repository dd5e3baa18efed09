"""The command line: ``python -m faults operations``, ``syscalls``, ``power`` or ``kills``; ``docs/durability.md`` says what each shows."""

from __future__ import annotations

import argparse
import json
import sys
from fnmatch import fnmatch

from faults.operations import BEFORE, FAULTS, GONE, INTERRUPT, LACKING
from faults.report import FORMATS
from faults.trials import Tally, exhaust
from faults.writers import Writer, all_writers

PAIRS = (("EIO", "EIO"), ("EIO", BEFORE), (INTERRUPT, "EIO"))
"""What goes wrong, and what goes wrong in the operations that clean up after it."""
LACKING_FAULTS = ("EIO", "EIO afterwards", GONE, BEFORE, "crash after", INTERRUPT)
OWN = ("package*", "TensorFlow*", "checkpoint series", "Keras weights, shards")
"""Writers whose commits differ; each file system that lacks something, and faults in succession, are tried with these."""


def main(words: list[str] | None = None) -> int:
    """Run what was asked for, print it, and return 1 if anything was lost or left."""
    parser = argparse.ArgumentParser(prog="python -m faults", description=__doc__)
    parser.add_argument("what", choices=("operations", "syscalls", "power", "kills"))
    parser.add_argument("--writer", default="*", help="pattern of writers' names")
    parser.add_argument("--format", choices=sorted(FORMATS), default="text")
    parser.add_argument("--kills", type=int, default=200)
    arguments = parser.parse_args(words)
    if arguments.what == "kills":
        from faults.kills import killed

        found = [killed(form, arguments.kills) for form in ("archive", "directory")]
        print(json.dumps(found, indent=2) if arguments.format == "json" else "\n".join(map(str, found)))
        return int(any(one["lost"] or one["leftovers"] for one in found))
    chosen = [one for one in all_writers() if fnmatch(one.name, arguments.writer) and (one.own_calls or arguments.what != "syscalls")]
    tallies = []
    for writer in chosen:
        tallies.append(_tally(arguments.what, writer))
        print(f"{writer.name}: {tallies[-1].faults:,} faults, {len(tallies[-1].lost)} lost", file=sys.stderr, flush=True)
    print(FORMATS[arguments.format](tallies))
    return int(any(one.lost or one.leftovers for one in tallies))


def _tally(what: str, writer: Writer) -> Tally:
    if what == "syscalls":
        from faults.syscalls import exhaust_calls

        return exhaust_calls(writer)
    if what == "power":
        from faults.power import exhaust_cuts

        return exhaust_cuts(writer)
    tally = Tally(writer.name)
    own = any(fnmatch(writer.name, pattern) for pattern in OWN)
    for over_old in (True, False) if writer.replaces else (False,):
        tally.add(exhaust(writer, FAULTS, over_old=over_old, pairs=PAIRS if own and over_old else ()))
        for lacking in LACKING if own else ():
            if lacking != "nothing":
                tally.add(exhaust(writer, LACKING_FAULTS, over_old=over_old, lacking=lacking))
    return tally


if __name__ == "__main__":
    sys.exit(main())
