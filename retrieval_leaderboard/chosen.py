"""The models of a command, and the settings that they run with."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from itertools import chain
from pathlib import Path

from retrieval_leaderboard import neural
from retrieval_leaderboard.datasets import Dataset
from retrieval_leaderboard.evaluation import engines
from retrieval_leaderboard.evaluation.models import installed, outside, registry, settings
from retrieval_leaderboard.evaluation.runs import configs, isolation, runner
from retrieval_leaderboard.evaluation.runs.provenance import Provenance
from retrieval_leaderboard.evaluation.testing import check_model
from retrieval_leaderboard.support import compute, progress
from retrieval_leaderboard.support.errors import InputError, need, unknown

ALL_MODELS = "all"
"""What `--models` names every model of the suite by"""
NEAR = 0.7
"""Likeness to the name of a model, from 0 to 1, from which another one counts as misspelled"""


def sources(options: argparse.Namespace) -> list[runner.ModelSource]:
    """The models that a command names, without those of `--models` that are named twice.

    Raises:
        InputError: an unknown name, one that is taken, a file without the class, or a missing package.
    """
    if options.models == "":
        raise InputError("--models: name models of --list, all of them by 'all', or leave it out")
    if options.models is not None:
        named = (registry.names() if word == ALL_MODELS else [word] for word in options.models.split(","))
        names = list(dict.fromkeys(chain.from_iterable(named)))
    else:
        names = [] if options.model else registry.defaults()
    found = [runner.ModelSource(name, installed.spec(name)) for name in names]
    if set(names) & set(neural.NAMES):
        need(["torch"], "requirements-torch.txt, or a CUDA build of your own")
    for source in found:
        outside.named(source.name)
    for spec in options.model:
        name = outside.load(spec).name
        if name in [*registry.names(), *(source.name for source in found)]:
            raise InputError(f"--model {spec}: the name '{name}' is taken; give the class another one")
        found.append(runner.ModelSource(name, spec))
    return found


def check_plugin(source: runner.ModelSource) -> None:
    """Refuse a model of one's own that breaks the contract of `Retriever`."""
    if source.plugin:
        here = compute.current()
        try:
            isolation.call(_check, source, here.device, here.precision)
        except isolation.Crash as crash:
            raise InputError(f"--model {source.plugin} breaks the contract of Retriever: {crash}") from crash


def _check(source: runner.ModelSource, device: str, precision: str) -> None:
    """On the device of the runs, in a process of its own."""
    compute.configure(device, precision)
    check_model(source.load())


def check_settings(options: argparse.Namespace, sources: list[runner.ModelSource]) -> None:
    """Refuse settings that no model has, before any data is read, and say which are not used."""
    given = settings.parse_assignments(options.set)
    _check_names(given, sources, "--set")
    for source in sources:
        # Whether the model takes them together depends on the dataset's config, too.
        settings.read(source.load(), given.pop(source.name, {}), "--set")
    for name, values in sorted(given.items()):
        settings.resolve(registry.get(name), values, "--set")
        progress.warn_once(f"--set {name}: not used, for {name} is not among the models of this command")


def jobs(
    options: argparse.Namespace,
    sources: list[runner.ModelSource],
    dataset: Dataset,
    on: compute.Compute,
    from_defaults: bool,
) -> list[runner.Job]:
    """The runs of a command: each model with its settings, and each seed of those that are stochastic.

    Raises:
        InputError: settings of a config or of `--set` that a model does not take.
    """
    layers = [] if from_defaults else configs.layers(options.configs_dir, dataset.name)
    from_command = settings.parse_assignments(options.set)
    for path in layers:
        _check_entries(configs.read(path, dataset), sources, path)
    found = []
    for source in sources:
        model = source.load()
        config = configs.resolved(model, layers, dataset)
        values = settings.resolve(model, config.settings | from_command.get(source.name, {}), "--set")
        made = config.provenance if values == config.settings else Provenance("command line")
        stochastic = settings.build(model, values).stochastic
        for seed in range(options.seeds if stochastic else 1):
            how = on.device, on.precision, made, tuple(options.also), on.tables, engine(options)
            found.append(runner.Job(source, values, seed, options.k, *how))
    return found


def engine(options: argparse.Namespace) -> engines.Choice:
    """What does the blocks of a command's runs."""
    return engines.Choice(options.engine, options.master, options.grouped)


def check_grouped(options: argparse.Namespace, sources: list[runner.ModelSource]) -> None:
    """Refuse --grouped with a model that would be given the whole log after all."""
    if not options.grouped:
        return
    if options.warm_start:
        raise InputError("--grouped is for fits from scratch: leave it or --warm-start out")
    others = [source.name for source in sources if not source.load().grouped]
    if others:
        able = [name for name in registry.names() if registry.get(name).grouped]
        raise InputError(
            f"--grouped: the fit of {others[0]} shares the whole log; {', '.join(able)} can do without: name "
            "these by --models, or leave --grouped out"
        )


def _check_entries(
    found: Mapping[str, configs.TunedConfig], sources: list[runner.ModelSource], path: Path
) -> None:
    """Refuse an entry whose name is nearly a model's; say of any other one by hand that it is not used."""
    known = [*registry.names(), *(source.name for source in sources)]
    for name in [name for name in found if name not in known and found[name].provenance.by == "hand"]:
        if get_close_matches(str(name), known, n=1, cutoff=NEAR):
            raise unknown(f"model in {path}", name, known)
        progress.warn_once(f"{path}: {name} is no model of this command, perhaps a plug-in's: left alone")


def _check_names(named: Iterable[str], sources: list[runner.ModelSource], where: str) -> None:
    known = [*registry.names(), *(source.name for source in sources)]
    for name in named:
        if name not in known:
            raise unknown(f"model in {where}", name, known)
