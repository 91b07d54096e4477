"""Classes of files and modules: found, named, and refused in one sentence."""

import sys

import pytest

from retrieval_leaderboard.evaluation.models import outside, registry
from retrieval_leaderboard.support.errors import InputError
from tests.evaluation.models import packages


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A working folder with a package, which Python does not know yet."""
    monkeypatch.chdir(tmp_path)
    packages.write(tmp_path, "ours")
    with packages.alone():
        yield tmp_path


def test_a_module_of_the_working_folder(here):
    found = outside.load("ours.models:Neighbor")
    assert (found.name, found.__module__) == ("Neighbor", "ours.models")
    assert outside.load("ours.models:Neighbor") is found, "a module is imported once"
    assert outside.load("ours/models.py:Neighbor").__module__.startswith("plugin_models_")


def test_two_files_of_one_name_stand_apart(here):
    for folder in ("one", "two"):
        packages.write(here, folder)
    one, two = (outside.load(f"{folder}/models.py:Neighbor") for folder in ("one", "two"))
    assert one is not two and [sys.modules[each.__module__].Neighbor for each in (one, two)] == [one, two]


def test_a_name_of_its_own(here):
    packages.write(here, "named", '@register("its_own")')
    assert outside.load("named.models:Neighbor").name == "its_own"
    assert "its_own" not in registry.names() and registry.get("its_own").name == "its_own"


def test_no_class_from_outside_takes_the_place_of_the_suites(here):
    text = packages.MODEL.format(decorator='@register("als")').replace("Neighbor", "ALS")
    (here / "theirs.py").write_text(text)
    before = registry.get("als")
    with pytest.raises(InputError, match="two models are registered as 'als'"):
        outside.load("theirs:ALS")
    assert registry.get("als") is before


def test_an_edited_file_is_other_code(here):
    before = outside.code("ours.models:Neighbor")
    assert before == outside.code("ours/models.py:Neighbor")
    path = here / "ours" / "models.py"
    path.write_text(path.read_text() + "# edited\n")
    assert outside.code("ours.models:Neighbor") == outside.code("ours/models.py:Neighbor") != before


def test_code_is_of_the_file_that_has_the_class(here):
    (here / "ours" / "__init__.py").write_text("from ours.models import Neighbor\n")
    assert outside.code("ours:Neighbor") == outside.code("ours/models.py:Neighbor")


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        ("ours.models", "--model ours.models: give it as FILE.py:CLASS or package.module:CLASS"),
        ("ours.models:Neighbors", "unknown class in ours.models 'Neighbors': did you mean 'Neighbor'"),
        ("ours.nothing:Neighbor", "there is no module ours.nothing in .*, nor is it installed here"),
        ("nothing.models:Neighbor", "there is no module nothing in .*, nor is it installed here"),
        ("ours.models:csr_array", "the class must derive from evaluation.Retriever"),
        ("broken:Mine", "--model broken:Mine: broken does not import: ModuleNotFoundError: .*'absent'"),
        ("leaves:Mine", "leaves does not import: SystemExit"),
        ("no-module:Mine", "there is no file no-module"),
    ],
)
def test_what_cannot_be_loaded_is_one_sentence(here, spec, sentence):
    (here / "broken.py").write_text("import absent\n")
    (here / "leaves.py").write_text("raise SystemExit(0)\n")
    with pytest.raises(InputError, match=sentence):
        outside.load(spec)
