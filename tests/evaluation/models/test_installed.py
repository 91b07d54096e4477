"""Models that installed packages declare: found by name, named with their package, and never in the way."""

import sys

import pytest

from retrieval_leaderboard import cli
from retrieval_leaderboard.evaluation.models import installed, outside, registry
from retrieval_leaderboard.support import progress
from retrieval_leaderboard.support.errors import InputError
from tests.evaluation.models import packages


@pytest.fixture
def site(tmp_path):
    """A folder of installed packages, which is empty."""
    progress.warn_once.cache_clear()
    with packages.alone():
        sys.path.append(str(tmp_path))
        yield tmp_path


@pytest.fixture
def neighbor(site):
    packages.write(site, "theirs")
    packages.install(site, "their-models", neighbor="theirs.models:Neighbor")
    return site


def test_by_name(neighbor):
    assert installed.spec("neighbor") == "theirs.models:Neighbor" and installed.spec("als") == ""
    found = outside.named("neighbor")
    assert found is outside.load("theirs.models:Neighbor") and found.name == "neighbor"
    assert outside.named("als") is registry.get("als") and "neighbor" not in registry.names()


def test_a_misspelt_name(neighbor):
    with pytest.raises(InputError, match="unknown model 'neighbors': did you mean 'neighbor'"):
        outside.named("neighbors")


def test_the_list_shows_its_package(neighbor, capsys):
    assert cli.main(["--list"]) == 0
    assert "neighbor        (of their-models) The next item by number." in capsys.readouterr().out
    assert cli.main(["--list", "neighbor"]) == 0
    assert capsys.readouterr().out.startswith("neighbor: (of their-models) The next item by number.")


BROKEN = {
    "absent.models:Neighbor": "absent.models:Neighbor: there is no module absent in ",
    "theirs.models:Other": "unknown class in theirs.models 'Other'",
    "theirs.models": "'theirs.models' is not of the form package.module:CLASS",
    "failing:Neighbor": "failing does not import: RuntimeError: not today",
    "named.models:Neighbor": "the class is called 'else', and the package bad calls it 'broken': call both",
}


@pytest.mark.parametrize(("value", "why"), BROKEN.items())
def test_a_broken_one_is_one_sentence_and_in_nobodys_way(neighbor, capsys, value, why):
    packages.write(neighbor, "named", '@register("else")')
    (neighbor / "failing.py").write_text("raise RuntimeError('not today')\n")
    packages.install(neighbor, "bad", broken=value)
    assert cli.main(["--list"]) == 0
    said = capsys.readouterr()
    assert "\nneighbor " in said.out and "\nbroken " not in said.out and "\nals *" in said.out
    (line,) = said.err.splitlines()
    assert line.startswith("warning: the model 'broken' of the package bad is left out: ") and why in line
    assert outside.named("als").name == "als"
    with pytest.raises(InputError, match="the model 'broken'"):
        outside.named("broken")


def test_a_name_of_the_suite_is_taken(site, capsys):
    packages.write(site, "theirs")
    packages.install(site, "their-models", als="theirs.models:Neighbor")
    assert outside.named("als") is registry.get("als")
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("warning: the model 'als' of the package their-models is left out: the suite has")


def test_two_packages_with_one_name(neighbor):
    packages.install(neighbor, "other-models", neighbor="theirs.models:Neighbor")
    with pytest.raises(InputError, match=r"cannot be used: another package declares that name"):
        outside.named("neighbor")


def test_a_name_that_could_be_no_folder(site):
    packages.install(site, "their-models", **{"a.b": "theirs.models:Neighbor"})
    with pytest.raises(InputError, match="use letters, digits, _ and - for its name"):
        installed.spec("a.b")
