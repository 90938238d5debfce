"""The layers: a package imports only from layers below its own.

The rule is read from the source with ``ast``, so an import inside a function counts as much as one
at the top of a file, and so does ``importlib.import_module("...")`` with a name written out.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parent.parent / "src"
LONGEST_FILE = 400

# Lowest first. A package may import itself and every row above its own, never its neighbours in
# the row. The longest name that fits a module decides where it belongs.
LAYERS = (
    ("base",),
    ("graph",),
    ("ops",),
    ("autograd.core", "compiler", "runtime"),
    ("execute",),
    ("tensor", "autograd"),
    ("",),  # rushlight/__init__.py: public names, which what follows may use as a user would
    ("backends",),
    ("version",),
    ("testing",),
    ("random", "signal", "special"),
    ("amp", "doctor", "profiler"),
    ("cpu", "cuda"),  # PyTorch's names for what is known of devices
    ("linalg", "fft"),
    ("distributed",),  # ranks, groups and collectives
    ("array_api",),
    ("nn",),
    ("func",),
    ("distributions",),
    ("optim",),
    ("distributed.optim",),
    ("utils",),
    ("quantization",),
    ("ao",),  # PyTorch's newer name for it
    ("multiprocessing",),
    ("serialize",),
    ("serialization",),  # PyTorch's name for the same
    ("fetch",),  # downloads and archives, for datasets and weights
    ("hub",),
    ("utils.model_zoo",),  # PyTorch's older name for one function of it
    ("export",),  # models as programs
    ("jit",),  # PyTorch's older names for the same
    ("ahead",),  # models as machine code
    ("train", "vision", "audio", "text"),
    ("onnx",),  # models in and out of that format
    ("experiments",),
    ("serve",),  # models over HTTP
    ("config",),
    ("cli",),
    ("__main__",),
)

# The tensor layer is two folders that are one idea: a handle and its gradients.
ONE_LAYER = {frozenset({"tensor", "autograd"})}

# Said of single packages, on top of the rows.
ONLY_BELOW = {"runtime": {"base"}}

# A library and the only packages that may import it; None is every package.
LIBRARIES = {"llvmlite": {"compiler"}, "torch": set()}


@dataclass(frozen=True)
class Import:
    """One imported module and where it is written."""

    file: Path
    line: int
    module: str

    def __str__(self) -> str:
        return f"{self.file.relative_to(SOURCE.parent)}:{self.line}: imports {self.module}"


def module_name(file: Path, root: Path = SOURCE) -> str:
    parts = file.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def source_files(root: Path = SOURCE) -> list[Path]:
    return sorted((root / "rushlight").rglob("*.py"))


def is_module(name: str, root: Path = SOURCE) -> bool:
    path = root.joinpath(*name.split("."))
    return path.with_suffix(".py").exists() or (path / "__init__.py").exists()


def imports_of(file: Path, root: Path = SOURCE) -> Iterator[Import]:
    tree = ast.parse(file.read_text(encoding="utf-8"), str(file))
    ourselves = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
        if alias.name == "rushlight"
    }
    for node in ast.walk(tree):
        for name in [*imported_names(node, file, root), *reached_names(node, ourselves, root)]:
            yield Import(file, node.lineno, name)


def reached_names(node: ast.AST, ourselves: set[str], root: Path = SOURCE) -> list[str]:
    """``rl.nn`` after ``import rushlight as rl`` is an import of ``rushlight.nn``."""
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        name = f"rushlight.{node.attr}"
        return [name] if node.value.id in ourselves and is_module(name, root) else []
    return []


def imported_names(node: ast.AST, file: Path, root: Path = SOURCE) -> list[str]:
    """The modules that one statement or call names; ``from p import q`` is ``p.q`` for a file q."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        home = absolute(node, file, root)
        inner = [f"{home}.{alias.name}" for alias in node.names]
        return list(dict.fromkeys(name if is_module(name, root) else home for name in inner))
    if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
        called = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        if called == "import_module" and isinstance(node.args[0].value, str):
            return [node.args[0].value]
    return []


def absolute(node: ast.ImportFrom, file: Path, root: Path) -> str:
    if not node.level:
        return node.module or ""
    package = file.relative_to(root).parent.parts
    base = package[: len(package) - node.level + 1]
    return ".".join((*base, *([node.module] if node.module else [])))


def layer_of(module: str) -> tuple[int, str] | None:
    """The row and the package that a module of ours belongs to; None if no row names it."""
    inner = module.removeprefix("rushlight").lstrip(".")
    names = [(row, name) for row, group in enumerate(LAYERS) for name in group]
    fits = [(row, name) for row, name in names if name and f"{inner}.".startswith(f"{name}.")]
    if fits:
        return max(fits, key=lambda fit: len(fit[1]))
    return next(fit for fit in names if not fit[1]) if not inner else None


def fault(found: Import, root: Path = SOURCE) -> str | None:
    """What is wrong with an import, in words; None if nothing is."""
    source, target = layer_of(module_name(found.file, root)), found.module.split(".")[0]
    if source is None:
        return f"{module_name(found.file, root)} is in no layer: add it to LAYERS"
    if target != "rushlight":
        allowed = LIBRARIES.get(target, {source[1]})
        return (
            None if source[1] in allowed else f"{target} is for {sorted(allowed) or 'tests only'}"
        )
    there = layer_of(found.module)
    if there is None:
        return f"{found.module} is in no layer: add it to LAYERS"
    (row, package), (below, other) = source, there
    if package == other or frozenset({package, other}) in ONE_LAYER:
        return None
    if other not in ONLY_BELOW.get(package, {other}):
        return f"{package} may import only {sorted(ONLY_BELOW[package])}"
    if below == row:
        return f"{package} and {other} are neighbours, which never import each other"
    return None if below < row else f"{package or 'rushlight'} is below {other or 'rushlight'}"


def test_imports_go_down_only() -> None:
    found = [one for file in source_files() for one in imports_of(file)]
    faults = [f"{one} ({why})" for one in found if (why := fault(one))]
    assert not faults, "imports against the layers:\n  " + "\n  ".join(faults)


def test_every_file_is_in_a_layer() -> None:
    lost = [str(file) for file in source_files() if layer_of(module_name(file)) is None]
    assert not lost, f"no row of LAYERS names: {lost}"


def test_no_file_is_too_long() -> None:
    lengths = {file: len(file.read_text(encoding="utf-8").splitlines()) for file in source_files()}
    long = [f"{file.relative_to(SOURCE)}: {n}" for file, n in lengths.items() if n > LONGEST_FILE]
    assert not long, f"files over {LONGEST_FILE} lines hold more than one idea: {long}"


@pytest.mark.parametrize(
    "file, text, why",
    [
        ("base/a.py", "import rushlight.graph.node", "base is below graph"),
        ("base/a.py", "def f():\n    from rushlight import ops", "base is below ops"),
        ("graph/a.py", "from rushlight import no_grad", "graph is below rushlight"),
        ("graph/a.py", "from ..ops import unary", "graph is below ops"),
        ("graph/a.py", "from . import node", None),
        ("ops/a.py", "from rushlight import ops", None),
        ("ops/a.py", "importlib.import_module('rushlight.nn')", "ops is below nn"),
        ("autograd/core.py", "from rushlight.compiler import passes", "neighbours"),
        ("autograd/core.py", "from rushlight.autograd import function", "below autograd"),
        ("autograd/function.py", "from rushlight.autograd import core", None),
        ("autograd/function.py", "from rushlight.tensor import tensor", None),
        ("runtime/pool.py", "from rushlight.ops import unary", "only ['base']"),
        ("tensor/place.py", "import rushlight as rl", "tensor is below rushlight"),
        ("nn/linear.py", "import rushlight as rl\nrl.zeros(rl.ops)", None),
        ("nn/linear.py", "import rushlight as rl\nrl.optim.SGD", "nn is below optim"),
        ("train/loop.py", "import rushlight as rl", None),
        ("train/loop.py", "from rushlight.cli import run", "train is below cli"),
        ("execute/cut.py", "import llvmlite.binding", "llvmlite is for ['compiler']"),
        ("tensor/place.py", "def f():\n    import torch", "tests only"),
        ("newcomer/a.py", "import os", "in no layer"),
    ],
)  # fmt: skip
def test_the_rule_itself(tmp_path: Path, file: str, text: str, why: str | None) -> None:
    others = ("graph/node", "ops/__init__", "ops/unary", "autograd/core", "optim/__init__")
    for name in (*(f"{other}.py" for other in others), file):
        path = tmp_path / "rushlight" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text if name == file else "")
    found = imports_of(tmp_path / "rushlight" / file, tmp_path)
    faults = [said for one in found if (said := fault(one, tmp_path))]
    assert (why in faults[0]) if why else not faults
