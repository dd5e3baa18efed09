"""The ``triptych`` command: one module a subcommand; this one knows how they are reached and how they end.

Exit status: 0 yes, 1 no (the input is invalid, or cannot become what was asked), 2 wrong usage, 3 could not tell
(unreadable file, unknown layout, a limit, a missing dependency).
"""

from __future__ import annotations

import argparse
import os
import sys
from importlib import import_module

from triptych.errors import ConversionError, InvalidModelError, TriptychError, UnsupportedError, UsageError, WeightsMismatchError

YES, NO, USAGE, UNKNOWN = 0, 1, 2, 3

COMMANDS = ("convert", "adopt", "pack", "validate", "verify", "diff", "summary", "plot", "explain", "schema")

EPILOG = """\
examples:
  triptych convert my_model.h5 my_model.triptych     a Keras file becomes one durable, safe file
  triptych convert my_model.triptych my_model        …or a folder whose files you can read and edit
  triptych convert my_model back.h5                  …and Keras HDF5 again
  triptych convert my_model.h5 my_model.pt --dry-run what goes where and what is lost; nothing is written
  triptych adopt folder_from_a_hub                   a package where it lies, its weights untouched
  triptych pack my_model my_model.triptych           a folder as one file and back (unpack), byte by byte: signatures hold
  triptych validate my_model.triptych                every problem, one a line; "valid" if there is none
  triptych verify my_model.triptych                  every byte against its digest; what differs, by name
  triptych diff old.h5 new.triptych                  what changed, and how far the weights are apart
  triptych summary my_model.triptych                 layers, output shapes, parameters
  triptych plot my_model.triptych -o graph.svg       its graph as a picture
  triptych explain LAYER_DUPLICATE_NAME              what a code means and how to mend it

exit status: 0 yes, 1 no, 2 wrong usage, 3 could not tell
"""


def parser() -> argparse.ArgumentParser:
    """The command line's grammar; a subcommand's module adds its own."""
    top = argparse.ArgumentParser(
        prog="triptych",
        description="Read, check, convert and describe trained neural networks. Nothing in a file is ever executed.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="store_true", help="print the versions of the program and of the format")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    for name in COMMANDS:
        import_module(f"triptych.cli.{name}").add(commands)
    return top


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit status; errors of the input are printed, never raised."""
    top = parser()
    arguments = top.parse_args(argv)
    if arguments.version:
        from triptych import __version__
        from triptych.documents import FORMAT_VERSION

        print(f"triptych {__version__}, format {FORMAT_VERSION}")
        return YES
    if arguments.command is None:
        top.print_help()
        return USAGE
    try:
        status: int = arguments.run(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader of our output has left (``| head``): not an error, and Python must not complain at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return YES
    except (InvalidModelError, ConversionError, WeightsMismatchError) as error:
        for problem in error.problems:
            complain(str(problem))
        return NO
    except UnsupportedError as error:
        for problem in error.problems:
            complain(str(problem))
        return UNKNOWN
    except UsageError as error:
        complain(str(error))
        return USAGE
    except ImportError as error:
        complain(str(error))
        return UNKNOWN
    except TriptychError as error:
        complain(str(error))
        return NO
    except OSError as error:
        complain(f"{error.strerror or error}: {error.filename}" if error.filename else str(error))
        return UNKNOWN
    except KeyboardInterrupt:
        complain("interrupted; nothing was changed")
        return 130
    return status


def complain(text: str) -> None:
    """Print `text` to standard error under the program's name."""
    print(f"triptych: {text}", file=sys.stderr)
