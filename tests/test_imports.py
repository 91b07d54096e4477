"""No circle of files, counting imports in functions and those for types alone."""

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from retrieval_leaderboard import ROOT

PACKAGE = "retrieval_leaderboard"
FOLDERS = (
    "baselines", "neural", "datasets", "evaluation", "serving", "support", "studies", "benchmarks", PACKAGE,
)  # fmt: skip


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    named = parts if parts[0] == PACKAGE else (PACKAGE, *parts)
    return ".".join(named[:-1] if named[-1] == "__init__" else named)


def imported(source: str, known: set[str]) -> set[str]:
    """The known modules that `source` imports, wherever it does."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                found |= {each.name for each in names}
            case ast.ImportFrom(module=str(module), names=names):
                within = {f"{module}.{each.name}" for each in names}
                found |= (within & known) or {module}
    return found & known


def graph() -> dict[str, set[str]]:
    """Module → the modules it imports. A package's own file imports its parts, and so is left out."""
    paths = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py") if path.stem != "__init__"]
    modules = {module_of(path): path.read_text(encoding="utf-8") for path in paths}
    return {name: imported(source, set(modules)) for name, source in modules.items()}


def circle(imports: dict[str, set[str]]) -> list[str]:
    """The modules of a circle; none where there is none."""
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        return error.args[1]
    return []


def test_no_file_is_imported_by_what_it_imports() -> None:
    imports = graph()
    assert len(imports) > 150
    assert circle(imports) == []


@pytest.mark.parametrize("line", [
    "import retrieval_leaderboard.b",
    "from retrieval_leaderboard import b",
    "from retrieval_leaderboard.b import name",
    "def later():\n    from retrieval_leaderboard import b",
    "if TYPE_CHECKING:\n    from retrieval_leaderboard.b import Name",
])  # fmt: skip
def test_every_kind_of_import_counts(line: str) -> None:
    known = {f"{PACKAGE}.a", f"{PACKAGE}.b"}
    a, b = sorted(known)
    assert imported(line, known) == {b}
    assert set(circle({a: imported(line, known), b: {a}})) == known
