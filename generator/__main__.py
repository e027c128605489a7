"""Command line of the generator."""

from __future__ import annotations

import argparse
import io
import sys
import time
from pathlib import Path

from .docs import coverage as compare
from .docs import stale_docs, write_docs
from .output.provenance import changed_files
from .spec.bundler import Bundle, bundle, dump
from .spec.diagnostics import DescriptionError, Diagnostic, relative
from .spec.portable import portable as portable_form
from .sync import derive_all, stale_modules


def main(arguments: list[str] | None = None) -> int:
    """Run a command.

    Returns:
        0 when all is well; 1 when the description or the generated code is not, which is printed, when `diff` finds
        changes that break callers, and when `drift` finds differences; 2 when these cannot read what they compare.
    """
    parser = argparse.ArgumentParser(prog="python -m generator", description="From openapi/ to generated/.")
    parser.add_argument("--index", type=Path, default=Path("openapi/coze.yaml"), help="the description")
    parser.add_argument("--out", type=Path, default=Path("generated"), help="the directory to write")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("lint", help="hold the description to the house rules")
    bundled = commands.add_parser("bundle", help="print the description as one JSON document")
    bundled.add_argument("--portable", action="store_true", help="write it in the form that other tools take whole")
    bundled.add_argument("--output", type=Path, metavar="FILE", help="write it to this file")
    commands.add_parser("generate", help="lint, then wipe and rewrite the generated code")
    commands.add_parser("check", help="lint, then list generated files that are stale; write nothing")
    commands.add_parser("docs", help="lint, then write docs/ beside the description's directory")
    sync = commands.add_parser("sync", help="derive the sync half of the client from its async half")
    sync.add_argument("--check", action="store_true", help="report derived modules that are stale; write nothing")
    coverage = commands.add_parser("coverage", help="compare with other clients of the platform")
    coverage.add_argument(
        "--facts",
        type=Path,
        default=Path("openapi/evidence/operations"),
        help="folder of the records of operations",
    )
    coverage.add_argument("--write", type=Path, metavar="README.md", help="update the table in this file")
    diff = commands.add_parser("diff", help="report what changed in the API, rated from the caller's side")
    diff.add_argument("old", metavar="OLD", help="a revision of git, a folder, an index or a bundle")
    diff.add_argument("new", metavar="NEW", nargs="?", help="the same; the working tree where absent")
    diff.add_argument("--format", choices=["text", "markdown", "json"], default="text", help="how to write the report")
    diff.add_argument("--python", action="store_true", help="compare the public names of the packages, too")
    diff.add_argument(
        "--fail-on",
        choices=["breaking", "any", "never"],
        default="breaking",
        help="which changes give the exit status 1",
    )
    drift = commands.add_parser("drift", help="report what a source has that the description lacks, and the reverse")
    drift.add_argument(
        "source", help="live, cozepy, a *.har file, an unpacked @coze/api, or a checkout of coze-dev/coze-sdk-gen"
    )
    drift.add_argument("--base-url", metavar="URL", help="live: the service; by default COZE_API_BASE, or api.coze.com")
    drift.add_argument("--har", type=Path, metavar="FILE", help="live: record requests and responses, without secrets")
    drift.add_argument("--pause", type=float, default=0.5, metavar="SECONDS", help="live: between requests")
    drift.add_argument("--format", choices=["text", "markdown", "json"], default="text", help="how to write the report")
    options = parser.parse_args(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # the locale's encoding may lack a character
        if options.command == "bundle":
            sys.stdout.reconfigure(encoding="utf-8", newline="\n")  # RFC 8259, section 8.1
    started = time.perf_counter()
    try:
        if options.command == "coverage":
            sys.stdout.write(compare(bundle(options.index), options.facts, options.write))
            return 0
        if options.command == "diff":
            return _diff(options)
        if options.command == "drift":
            return _drift(options)
        if options.command == "sync":
            message = _sync(check=options.check)
        elif options.command == "bundle":
            message = _bundle(options.index, portable=options.portable)
        else:
            message = _run(options.command, options.index, options.out)
    except DescriptionError as error:
        for problem in error.problems:
            print(problem, file=sys.stderr)
        print(f"{len(error.problems)} problem{'s' * (len(error.problems) != 1)}", file=sys.stderr)
        return 2 if options.command in {"diff", "drift"} else 1
    if options.command == "bundle" and options.output:
        try:
            options.output.write_text(message, encoding="utf-8", newline="\n")
        except OSError as error:
            parser.error(f"--output: {error}")
        print(f"Wrote {options.output}")
    elif options.command == "bundle":
        sys.stdout.write(message)
    else:
        print(f"{message} ({time.perf_counter() - started:.1f} s)")
    return 0


def _run(command: str, index: Path, out: Path) -> str:
    bundled = _linted(index, out if command == "check" else None)
    if command == "lint":
        return f"{len(bundled.operations())} operations in {len(bundled.files)} files: clean"
    if command == "docs":
        return f"Wrote {', '.join(relative(path, bundled.root) for path in write_docs(bundled))}"
    from .pipeline import generate, stale_files  # openapi-python-client takes most of a second to import

    if command == "generate":
        return f"Generated {generate(bundled, out)}"
    _refuse(stale_files(bundled, out) + stale_docs(bundled))
    return f"{out.name}/ is up to date with openapi/"


def _linted(index: Path, out: Path | None = None) -> Bundle:
    """Return the description, without faults, or raise all of them and which files changed since *out* was written."""
    from .lint import lint_files

    bundled, problems = lint_files(index)
    if problems and bundled and out:
        problems += changed_files(bundled, out)  # a fault may show in another file than the one that was changed
    if problems or bundled is None:
        raise DescriptionError(problems)
    return bundled


def _bundle(index: Path, *, portable: bool) -> str:
    return dump(portable_form(_linted(index).document) if portable else bundle(index).document)


def _diff(options: argparse.Namespace) -> int:
    from .diff import REPORTS, Impact, compare, compare_python, load, merged

    new = load(options.new, options.index) if options.new else dict(bundle(options.index).document)
    changes = compare(load(options.old, options.index), new)
    if options.python:
        changes = merged([*changes, *compare_python(options.old, options.index.resolve().parent.parent)])
    sys.stdout.write(REPORTS[options.format](changes))
    failing = {"any": changes, "never": []}.get(
        options.fail_on, [change for change in changes if change.impact is Impact.BREAKING]
    )
    return 1 if failing else 0


def _drift(options: argparse.Namespace) -> int:
    from .drift import REPORTS, compare_source, described_operations, read_live, read_source

    bundled = bundle(options.index)
    described = described_operations(bundled)
    addresses = {operation.address: name for name, operation in described.items()}
    if options.source == "live":
        kind = "har"
        operations, summary = read_live(
            bundled, addresses, base_url=options.base_url, har=options.har, pause=options.pause
        )
        print(summary, file=sys.stderr)
    else:
        kind, operations = read_source(options.source, addresses)
    drifts = compare_source(described, kind, operations, options.index)
    sys.stdout.write(REPORTS[options.format](drifts))
    return 1 if drifts else 0


def _sync(*, check: bool) -> str:
    root = Path.cwd()
    if check:
        _refuse(stale_modules(root))
        return "the sync half is what the async half makes"
    changed = derive_all(root)
    return f"Derived {', '.join(relative(path, root) for path in changed) or 'nothing: all is fresh'}"


def _refuse(problems: list[Diagnostic]) -> None:
    if problems:
        raise DescriptionError(problems)


if __name__ == "__main__":
    sys.exit(main())
