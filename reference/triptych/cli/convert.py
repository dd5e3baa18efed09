"""``triptych convert``: between any two layouts, naming what could not be kept."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from triptych.errors import UsageError

UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}

DESCRIPTION = """\
Read SRC, whatever its layout (told by its content), and write DST in the layout of its suffix:

  my_model.triptych   one file: an uncompressed ZIP archive, mapped into memory in place
  my_model            a folder: manifest.json, architecture.json, model.safetensors, training.json …
  my_model.h5         Keras HDF5, as Keras 2 writes it (--dialect keras3 for Keras 3)
  my_model.keras      an archive that Keras 3 loads
  my_model.weights.h5 weights by object path, as Keras 3 saves them; my_model.weights.json with shards of --max-shard-size
  my_model.pt / .pth  PyTorch: the state dictionary, in a training dictionary where there is training
  weights.safetensors the weights alone; .npz the same for numpy; --layout hub a folder as model hubs have them,
                      npy a folder of numpy's arrays, torch-distributed one for PyTorch's distributed loader (with training, too)
  my_model            with --layout saved-model a SavedModel folder, which TensorFlow serves without this program
  my_model.json/.yaml the architecture alone; with --dialect what Keras' own to_json (keras1, keras2, keras3) or
                      to_yaml (keras1, keras2) would write, whatever Keras or layout SRC is of

examples:
  triptych convert old.h5 new.keras                       a model of Keras 1 or 2 becomes one that Keras 3 loads
  triptych convert old.json new.json --dialect keras3     Keras 1 or 2 text becomes text that Keras 3 loads
  triptych convert old.yaml new.json --dialect keras2     ...and YAML, which no Keras loads any more, JSON
  triptych convert model.h5 model.triptych --allow-code   keep the bytecode of lambda layers, as data that nothing runs
  triptych convert model.h5 model.pt --dry-run            a table of what goes where and what is lost; nothing is written
  triptych convert state.pt model.h5 --architecture old.h5 --rename names.yaml
                                                          weights alone become a whole model again

--rename FILE: JSON or YAML, one rule a line, old name: new name, of the weights as --dry-run lists them. The optimizer's slots follow.
  module.**: $1                                           ** stands for one part or more between dots, once in a rule
  blocks.*.attn.*.weight: block_$1.$2.kernel              * stands for text within a part; $1, $2 … say it again, $$ is a $
  head.bias: logits.bias                                  exact names go first, then patterns in their order
A rule that fits no tensor and two tensors that would have one name are errors, all of them listed.

--architecture FILE: any file with an architecture, or Keras' or this format's text. Every weight is checked by name and shape against what the
architecture needs, all differences are listed. What FILE says of training (optimizer, losses, metrics) is taken where SRC holds the state of a
training and does not say it; weights and state of FILE never are.

--dry-run --format json prints an object: "source" and "target" with "path", "layout", "tensors" (how many), "bytes"; "tensors", each with
"target" (its name in DST), "member" (the file it goes into, "" if DST is one), "dtype", "shape", "sources" ("name", "panel": weights or
training, "dtype", "shape" in SRC) and "changes" (of renamed, re-laid, cast, joined, made); "left", tensors of SRC that DST does not hold;
"not_kept", the sentences that a conversion prints.

DST appears whole or not at all, also when interrupted. What its layout cannot hold is named on standard error.

exit status: 0 written or rehearsed, 1 SRC is invalid or cannot become what was asked, 2 wrong usage, 3 could not tell, 130 interrupted
"""


def add(commands: Any) -> None:
    """Add this command's grammar."""
    parser = commands.add_parser(
        "convert",
        help="write a model in another layout",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("source", metavar="SRC", type=Path, help="the model to read")
    parser.add_argument("target", metavar="DST", type=Path, help="the file or folder to write")
    parser.add_argument("--layout", help="layout of DST, where its suffix does not say it")
    parser.add_argument("--only", choices=["architecture", "weights", "training"], help="write this panel alone")
    parser.add_argument("--dialect", choices=["keras", "keras1", "keras2", "keras3"], help="for Keras layouts and text: whose configuration to write (keras: that of SRC)")
    parser.add_argument(
        "--allow-code",
        action="store_true",
        help="carry the bytecode of Keras' lambda layers as inert data; without it the layer is kept and its code is left out",
    )
    parser.add_argument("--yaml", action="store_true", help="for packages: write the architecture and training as YAML")
    parser.add_argument("--max-shard-size", metavar="SIZE", type=size, help="for packages and .weights.json: split the weights into files of at most SIZE, such as 2GB")
    parser.add_argument(
        "--accept-edits",
        action="store_true",
        help="take a package's documents as they are, edited since it was written (no digest of SRC is compared); DST gets new digests",
    )
    parser.add_argument("--rename", metavar="FILE", type=Path, help="new names for weights of SRC, see above")
    parser.add_argument("--architecture", metavar="FILE", type=Path, help="join the architecture in FILE to the weights of SRC, see above")
    parser.add_argument("--dry-run", action="store_true", help="print what would be written and lost, and write nothing")
    parser.add_argument("--format", choices=["text", "json"], default="text", help="of what --dry-run prints (default: %(default)s)")
    parser.add_argument("-f", "--force", action="store_true", help="replace DST if it exists")
    parser.add_argument("-q", "--quiet", action="store_true", help="show no progress")
    parser.set_defaults(run=run)


def size(text: str) -> int:
    """Bytes of a size such as ``500MB`` or ``2GiB``."""
    match = re.fullmatch(r"(\d{1,15})\s*([A-Za-z]{0,3})", text)
    if not match or match[2].upper() not in UNITS or not int(match[1]):
        raise argparse.ArgumentTypeError(f"expected a size such as 500MB or 2GiB, got {text!r}")
    return int(match[1]) * UNITS[match[2].upper()]


def run(arguments: argparse.Namespace) -> int:
    """Convert and say what came of it."""
    from triptych.cli.console import progress
    from triptych.layouts import own
    from triptych.surface.model import Model
    from triptych.surface.opening import fitted, read, recognise
    from triptych.surface.saving import save, target_layout

    target: Path = arguments.target
    layout = target_layout(target, arguments.layout)
    given: dict[str, Any] = {
        # Files of Keras are of their source's dialect anyway; text is a document of this format unless a dialect is asked for.
        "dialect": None if arguments.dialect == "keras" and not layout.name.startswith("architecture-") else arguments.dialect,
        "spelling": "yaml" if arguments.yaml else None,
        "max_shard_bytes": arguments.max_shard_size,
    }
    options = {name: value for name, value in given.items() if value is not None}
    if foreign := sorted(options.keys() - layout.options):
        flags = {"dialect": "--dialect", "spelling": "--yaml", "max_shard_bytes": "--max-shard-size"}
        raise UsageError(f"{', '.join(flags[name] for name in foreign)} means nothing for {layout.title}")
    if layout.stands_at(target) and not arguments.force:
        raise UsageError(f"expected no file at {str(target)!r}, one is there; --force replaces it")
    if arguments.format == "json" and not arguments.dry_run:
        raise UsageError("expected --dry-run beside --format json")
    verify: Literal["lazy", "off"] = "off" if arguments.accept_edits else "lazy"
    source = recognise(arguments.source)
    panels = read(arguments.source, verify=verify, allow_code=arguments.allow_code)
    left_out = () if source is own.LAYOUT else Model(panels).notes
    joining = {"rename": arguments.rename, "architecture": arguments.architecture, "allow_code": arguments.allow_code}
    if arguments.dry_run:
        from triptych.cli import dry_run
        from triptych.surface.preview import Rehearsal

        rehearsal = Rehearsal(panels)
        preview = rehearsal.preview(fitted(rehearsal.panels, **joining), target, layout=arguments.layout, only=arguments.only, **options)
        preview = replace(preview, notes=tuple(dict.fromkeys((*left_out, *preview.notes))))
        said = dry_run.as_json if arguments.format == "json" else dry_run.as_text
        if arguments.format == "text":
            tell(preview.notes)
        print(said(preview, (str(arguments.source), source), (str(target), layout)))
        return 0
    with progress(f"{arguments.source.name} → {target.name}", quiet=arguments.quiet) as report:
        written = save(Model(fitted(panels, **joining)), target, layout=arguments.layout, only=arguments.only, progress=report, **options)
    notes = tuple(dict.fromkeys((*left_out, *written)))
    tell(notes)
    print(f"{target}: {layout.title}" + (f", {len(notes)} thing{'s' * (len(notes) > 1)} not kept" if notes else ""))
    return 0


def tell(notes: Iterable[str]) -> None:
    """Name what is not kept."""
    for note in notes:
        print(f"not kept: {note}", file=sys.stderr)
