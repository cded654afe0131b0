"""Every Python example of the documentation runs."""
import functools
import inspect
import pathlib
import re
import subprocess
import sys

import pytest

import kiln as kn

ROOT = pathlib.Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("page", [p for p in PAGES if "```python" in p.read_text()], ids=lambda p: p.name)
def test_examples(page):
    text = "\n".join(re.findall(r"```python\n(.*?)```", page.read_text(), re.S))
    with kn.config.override(jit="auto"):  # as for whoever reads them
        exec(compile(text, str(page), "exec"), {"__name__": "example"})


def test_names_in_tables_are_there():
    """What a "Coming from" page says that Kiln has: every `kn.name` of it, and parameters in the parentheses behind it."""
    for page in sorted((ROOT / "docs").glob("from-*.md")):
        tables = "\n".join(line for line in page.read_text().splitlines() if line.startswith("|"))
        names = re.findall(r"\bkn((?:\.[a-zA-Z_]\w*)+)(?:\(([^()]*)\))?", tables)
        assert len(names) > 2, page.name
        for path, given in names:
            value = functools.reduce(getattr, path.strip(".").split("."), kn)
            if parameters := re.findall(r"(?<![\w.])(\w+)=(?!=)", given):
                known = inspect.signature(value).parameters
                assert set(parameters) <= set(known) or any(p.kind is p.VAR_KEYWORD for p in known.values()), f"{page.name}: kn{path}({given})"


def test_links_lead_somewhere():
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / target).exists() or target in ("ops.md", "reference.md", "errors.md", "numpy-names.md"), f"{page.name}: {target}"


def test_the_reference_is_complete():
    result = subprocess.run([sys.executable, ROOT / "tools/reference-page"], capture_output=True, text=True)
    assert result.returncode == 0 and "### `kn.jit(" in result.stdout, result.stderr


def test_every_name_of_numpy_is_there_or_explained():
    result = subprocess.run([sys.executable, ROOT / "tools/numpy-names-page"], capture_output=True, text=True)
    assert result.returncode == 0 and result.stdout.count("| yes |") > 400, result.stderr
