"""Where packs are found: those that come with netpact, and a project's own."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from lint.packs.model import Pack
from lint.packs.problem import PackProblem, UnknownPack
from lint.packs.read import load_file


def rules_folder() -> Path:
    """The folder of the built-in packs: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).resolve().parent.parent
    installed = package / "rules"
    return installed if installed.is_dir() else package.parent / "rules"


def builtin_files() -> dict[str, Path]:
    """The file of each built-in pack by id, in order. Opens none of them."""
    return {f"{path.parent.name}/{path.stem}": path for path in sorted(rules_folder().glob("*/*.yaml"))}


@lru_cache(maxsize=64)
def _builtin(pack_id: str, path: Path) -> Pack:
    pack = load_file(path, f"rules/{pack_id}.yaml")
    if pack.id != pack_id:
        raise PackProblem(
            f"rules/{pack_id}.yaml",
            pack.origin.line,
            f"calls itself `{pack.id}`",
            "give it the id of its folder and file name",
        )
    return pack


def load_builtin() -> dict[str, Pack]:
    """Every built-in pack by id. Raises PackProblem."""
    return {pack_id: _builtin(pack_id, path) for pack_id, path in builtin_files().items()}


def pack_files(globs: Iterable[str], base: Path) -> tuple[Path, ...]:
    """The files that a project's `packs:` names, relative to `base`, in order.

    Raises PackProblem where an entry takes no file.
    """
    found: dict[Path, None] = {}
    for pattern in globs:
        place = Path(pattern)
        if place.is_absolute():
            matches = [place] if place.is_file() else []
        else:
            matches = _matches(pattern, base)
        outside = next((path for path in matches if not place.is_absolute() and not _within(path, base)), None)
        if outside is not None:
            raise PackProblem(
                pattern, None, "leads to a file outside the repository, which is not read", "keep packs inside it"
            )
        if not matches:
            raise PackProblem(
                pattern, None, f"no pack file of that name below {base.as_posix()}", "correct the entry of `packs`"
            )
        found.update(dict.fromkeys(matches))
    return tuple(found)


def _within(path: Path, base: Path) -> bool:
    """Whether a file lies inside the repository of `base`, links followed; without a repository, inside `base`."""
    top = base.resolve()
    root = next((folder for folder in (top, *top.parents) if (folder / ".git").exists()), top)
    return path.resolve().is_relative_to(root)


def _matches(pattern: str, base: Path) -> list[Path]:
    try:
        return sorted(path for path in base.glob(pattern) if path.is_file())
    except ValueError:  # an empty pattern, or `**` beside other text
        return []


def load_packs(extra: Iterable[str] = (), base: Path | None = None) -> dict[str, Pack]:
    """Every built-in pack and those of the project. Raises PackProblem, also where two packs have one id."""
    return load_builtin() | _own(tuple(extra), base or Path())


def find(pack_id: str, extra: Iterable[str] = (), base: Path | None = None) -> Pack:
    """The pack of that id: a built-in one, or one of the files that the globs `extra` take below `base`.

    Raises UnknownPack, and PackProblem for a file that is no pack. A project's own pack never takes the place of a
    built-in one.
    """
    own = _own(tuple(extra), base or Path())
    builtin = builtin_files()
    if pack_id in builtin:
        return _builtin(pack_id, builtin[pack_id])
    if pack_id in own:
        return own[pack_id]
    raise UnknownPack(_unknown(pack_id, [*builtin, *own]))


def _own(globs: tuple[str, ...], base: Path) -> dict[str, Pack]:
    builtin = builtin_files()
    found: dict[str, Pack] = {}
    for path in pack_files(globs, base):
        shown = path.relative_to(base).as_posix() if path.is_relative_to(base) else path.as_posix()
        pack = load_file(path, shown)
        if pack.id in builtin:
            raise PackProblem(
                shown, pack.origin.line, f"`{pack.id}` is the id of a built-in pack", "give your pack an id of its own"
            )
        if pack.id in found:
            raise PackProblem(
                shown,
                pack.origin.line,
                f"`{pack.id}` is also the id of {found[pack.id].origin.file}",
                "give each pack an id of its own",
            )
        found[pack.id] = pack
    return found


def _unknown(pack_id: str, known: list[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(pack_id, known, n=1, cutoff=0.5)
    hint = f"did you mean `{near[0]}`?" if near else f"known are {', '.join(known)}"
    return f"no pack is called `{pack_id}`; {hint}"
