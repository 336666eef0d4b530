"""The program: ``convcalc``, or ``python -m convcalc``."""

import gc
import sys

EXIT_INTERRUPTED = 130


def main() -> None:
    """Run the command line and exit."""
    # A command lives for a moment and makes no cycles worth finding: looking for them, while
    # modules are imported most of all, would cost it a twentieth of its time.
    gc.disable()
    try:
        from convcalc.cli import main as run  # noqa: PLC0415 - after the line before

        run()
    except KeyboardInterrupt:  # while modules are imported; later the command line sees to it
        sys.exit(EXIT_INTERRUPTED)
    finally:
        # Python looks for cycles once more when it ends, in all that there is: a seventh more time.
        gc.freeze()


if __name__ == "__main__":
    main()
