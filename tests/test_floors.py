"""The house stands: imports point down only, and each floor knows only its own libraries."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "resnet_viz"

# Floor of every room; a file imports only from floors below its own, or from its own room.
FLOORS = {
    "__init__": 0,
    "i18n": 0,
    "home": 0,
    "checks": 0,
    "specs": 0,
    "layers": 0,
    "graphs": 0,
    "architectures": 0,
    "signals": 0,
    "inside": 0,
    "trust": 0,
    "lesions": 0,
    "blockwise": 0,
    "reuse": 0,
    "construction": 0,
    "points": 0,
    "methods": 0,
    "sources": 0,
    "transfer": 0,
    "records": 0,
    "sweeps": 0,
    "reproductions": 0,
    "papers": 0,
    "nets": 1,
    "datasets": 1,
    "scripts": 1,
    "probes": 1,
    "figures": 1,
    "training": 2,
    "runs": 3,
    "analysis": 3,
    "ui": 4,
    "cli": 4,
    "__main__": 5,
}
STREAMLIT_ROOMS = {"ui"}
PLOTLY_ROOMS = {"figures", "ui", "cli"}
TORCH = ("torch", "torchvision", "captum")
CORE_FREE_OF = ("streamlit", "plotly", "captum")

FILES = sorted(PACKAGE.rglob("*.py"))
PAGES = [ROOT / "app.py", *sorted((ROOT / "pages").glob("*.py"))]


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path: Path) -> set[str]:
    """Every module named by an import statement of a file, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found.add(node.module)
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_point_down_only(path):
    here = room(path)
    for module in imported(path):
        parts = module.split(".")
        if parts[0] == "resnet_viz" and len(parts) > 1 and parts[1] in FLOORS and parts[1] != here:
            above_or_beside = FLOORS[parts[1]] >= FLOORS[here] and FLOORS[here] != 0
            assert not above_or_beside, f"{here} (floor {FLOORS[here]}) imports {module}"
            if FLOORS[here] == 0:
                assert FLOORS[parts[1]] == 0, f"{here} is on the ground and imports {module}"
        assert parts[0] not in ("app", "pages"), f"{here} imports the top floor"
        assert parts[0] != "streamlit" or here in STREAMLIT_ROOMS
        assert parts[0] != "plotly" or here in PLOTLY_ROOMS


def test_every_room_has_a_floor():
    assert {room(path) for path in FILES} <= set(FLOORS)


@pytest.mark.parametrize("path", PAGES, ids=lambda p: p.name)
def test_what_draws_never_imports_torch(path):
    assert not {m for m in imported(path) if m.split(".")[0] in ("torch", "torchvision", "captum")}


def modules_after(code: str) -> set[str]:
    """Top-level modules that a fresh interpreter holds after running `code`."""
    script = f"{code}\nimport sys\nprint(' '.join({{m.split('.')[0] for m in sys.modules}}))"
    run = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return set(run.stdout.splitlines()[-1].split())


def module_names() -> list[str]:
    return [
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in FILES
    ]


def room_of(module: str) -> str:
    return [*module.split("."), ""][1]


def torch_free_modules() -> list[str]:
    """What the page server may import: everything but the rooms and files that hold torch."""
    return [name for name in module_names() if not reaches_torch(name)]


def reaches_torch(name: str) -> bool:
    """Whether a module imports torch at its top, itself or through the package's own modules."""
    seen, todo = set(), [name]
    while todo:
        module = todo.pop()
        if module in seen:
            continue
        seen.add(module)
        path = ROOT.joinpath(*module.split("."))
        file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        if not file.exists():
            continue
        for node in ast.parse(file.read_text("utf-8")).body:
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module, *(f"{node.module}.{a.name}" for a in node.names)]
            else:
                continue
            if any(n.split(".")[0] in TORCH or n.startswith("safetensors.torch") for n in names):
                return True
            todo += [n for n in names if n.startswith("resnet_viz")]
    return False


def test_the_page_server_never_imports_torch():
    names = torch_free_modules()
    shown = {name for path in PAGES for name in imported(path) if name.startswith("resnet_viz.")}
    must = {n for n in module_names() if room_of(n) in ("ui", "figures", "scripts", "cli")} | {
        name for name in shown if name in module_names()
    }
    assert must
    assert must <= set(names), f"these reach torch: {must - set(names)}"
    loaded = modules_after("\n".join(f"import {name}" for name in names))
    assert not loaded & {"torch", "torchvision", "captum"}


def test_the_core_imports_without_streamlit_plotly_and_captum():
    """Nets, data, training, store and command line work where the page's libraries are not."""
    blocked = "import sys\n" + "\n".join(f"sys.modules[{m!r}] = None" for m in CORE_FREE_OF)
    core = ["specs", "nets.build", "datasets.load", "training.loop", "runs.worker", "cli"]
    imports = "\n".join(f"import resnet_viz.{name}" for name in core)
    assert "torch" in modules_after(f"{blocked}\n{imports}")
