"""Commands of pages, as the command line understands them."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from retrieval_leaderboard import ROOT
from retrieval_leaderboard.cli import parser
from retrieval_leaderboard.datasets.splits.registry import excludes_seen
from retrieval_leaderboard.evaluation.models import registry, settings
from retrieval_leaderboard.evaluation.runs import configs


def parsed(words: Sequence[str]) -> argparse.Namespace:
    """The options of a command."""
    python, script, *options = words
    assert (python, script) == ("python", "run_all.py")
    return parser().parse_args(options)


def asked_for(words: Sequence[str]) -> dict[str, Any]:
    """The settings that a command gives its model, with the shipped configs, by the pipeline's rules."""
    options = parsed(words)
    model = registry.get(options.models)
    path = ROOT / options.configs_dir / f"{options.dataset[0]}.yaml"
    usual = excludes_seen(options.protocol)
    policy = usual if options.exclude_seen is None else options.exclude_seen
    where = [options.protocol, configs.section_of(options.protocol, options.ties or "", policy)]
    found = {name: each for section in where for name, each in configs.in_section(path, section).items()}
    config = {} if options.defaults or model.name not in found else found[model.name].settings
    return settings.resolve(
        model, config | settings.parse_assignments(options.set).get(model.name, {}), "--set"
    )
