"""Times netpact's parser, and python-hcl2 where it is installed, on all Terraform files below a directory."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

from lint.terraform.syntax.parse import parse_file
from lint.terraform.syntax.problem import SyntaxProblem


def measure(name: str, read: Callable[[bytes, str], object], files: list[tuple[str, bytes]]) -> None:
    """Print speed and rejected files of one parser."""
    rejected: list[str] = []
    began = time.perf_counter()
    for file, data in files:
        try:
            read(data, file)
        except SyntaxProblem as problem:
            rejected.append(str(problem))
        except Exception as problem:  # python-hcl2 raises Lark's many kinds of errors
            rejected.append(f"{file}: {type(problem).__name__}")
    seconds = time.perf_counter() - began
    size = sum(len(data) for _, data in files) / 1e6
    speed = f"{size:.1f} MB in {seconds:.2f} s, {size / seconds:.2f} MB/s"
    print(f"{name}: {len(files)} files, {speed}, {len(rejected)} rejected")
    for line in rejected:
        print(f"  {line}")


def main() -> None:
    root = Path(sys.argv[1] if len(sys.argv) > 1 else "fixtures")
    files = [(str(path), path.read_bytes()) for path in sorted(root.rglob("*.tf")) if path.is_file()]
    measure("netpact", parse_file, files)
    try:
        import hcl2
    except ImportError:
        print("python-hcl2 is not installed")
        return
    hcl2.parses_to_tree("a = 1\n")
    measure("python-hcl2", lambda data, file: hcl2.parses_to_tree(data.decode()), files)


if __name__ == "__main__":
    main()
