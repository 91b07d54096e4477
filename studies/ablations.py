"""One factor at a time: what `studies.findings` changes of a two-tower model's defaults and scores."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from retrieval_leaderboard.evaluation.models import registry, settings

Settings = dict[str, Any]


@dataclass(frozen=True)
class Study:
    """A question, and the settings whose scores answer it."""

    question: str
    variants: dict[str, tuple[str, Settings]]
    """Label → model and the settings in which it differs from its defaults; the first is the one that
    the others are compared with"""
    finding: str
    """What they answer, in words; numbers stand in the table"""


@dataclass(frozen=True)
class Place:
    """A dataset that the studies are made on."""

    dataset: str
    settings: Settings = field(default_factory=dict)
    """Of every variant, so that the studies take minutes"""


PLACES = (
    Place("gowalla", {"epochs": 10, "neighbors": 0}),
    Place("amazon-beauty"),
    Place("ml-1m"),
    Place("ml-100k"),
)

STUDIES = (
    Study(
        "Which loss, against 2,048 uniform negatives?",
        {
            "InfoNCE": ("infonce", {"negatives": 2048, "in_batch": False}),
            "BSL": ("bsl", {}),
            "CCL": ("simplex_ccl", {}),
            "BCE": ("dssm_bce", {}),
        },
        "BSL, which weighs negatives more than the target with training examples per user, is ahead of the "
        "plain softmax on gowalla and amazon-beauty. CCL is the best on gowalla and the worst on the other "
        "two: its settings carry over least. On ml-100k, with an example per interaction and one target "
        "each, the other three are the same. BCE, with a learned bias and as many negatives, is no toy "
        "baseline.",
    ),
    Study(
        "How much do the negatives weigh beside the target?",
        {
            "as much: a softmax without the target in its sum": ("bsl", {"negative_weight": 1.0}),
            "1.1 times": ("bsl", {"negative_weight": 1.1}),
            "1.2 times": ("bsl", {"negative_weight": 1.2}),
            "1.4 times": ("bsl", {"negative_weight": 1.4}),
        },
        "More than the target with examples per user: this is what BSL has before InfoNCE. In ten epochs "
        "on gowalla the more the better, up to the largest weight that was tried, yet in forty the default "
        "of 1.2 is as far as it goes: 1.1 comes to .1243, 1.15 to .1280, 1.2 to .1287, 1.3 to .1107, 1.4 "
        "to .0776. The fewer the interactions, the sooner it is too much: on amazon-beauty 1.4 costs a "
        "fifth, on ml-100k, whose examples are per interaction and have 1 by default, 1.2 seems to cost a "
        "tenth (two seeds, far apart), 1.4 two thirds; on aliec-sim, with features and an MLP, 1 comes to "
        ".157, 1.2 to .074.",
    ),
    Study(
        "Which negatives?",
        {
            "in-batch and 512 uniform, logQ correction": ("infonce", {}),
            "the same without logQ correction": ("infonce", {"logq_correction": False}),
            "in-batch alone, logQ correction": ("infonce", {"negatives": 0}),
            "in-batch alone, no correction": ("infonce", {"negatives": 0, "logq_correction": False}),
            "2,048 uniform, logQ correction": ("infonce", {"negatives": 2048, "in_batch": False}),
            "2,048 by popularity^½, logQ correction": (
                "infonce",
                {"negatives": 2048, "in_batch": False, "negative_exponent": 0.5},
            ),
        },
        "In-batch negatives need the logQ correction, most of all where they are the only ones: on all "
        "three; with it they do as well as more than twice as many uniform ones. Uniform negatives beside "
        "them, or a draw by popularity, add little or nothing.",
    ),
    Study(
        "How many uniform negatives, with logQ correction?",
        {
            "2,048": ("infonce", {"negatives": 2048, "in_batch": False}),
            "128": ("infonce", {"negatives": 128, "in_batch": False}),
            "512": ("infonce", {"negatives": 512, "in_batch": False}),
            "8,192": ("infonce", {"negatives": 8192, "in_batch": False}),
        },
        "In the ten epochs on gowalla more is better up to the largest number that was tried, whose epochs "
        "take twice as long as those of the one before it; amazon-beauty, with a twelfth of the items, has "
        "enough with 512, and ml-100k, with less than half the items of that, hardly loses with 128.",
    ),
    Study(
        "Which temperature?",
        {
            "by the data's size": ("infonce", {}),
            "0.05": ("infonce", {"temperature": 0.05}),
            "0.1": ("infonce", {"temperature": 0.1}),
            "0.15": ("infonce", {"temperature": 0.15}),
            "0.2": ("infonce", {"temperature": 0.2}),
        },
        "With one of the strongest effects of all settings, and the less data there is, the higher is the "
        "best value. On gowalla 0.05 and 0.15 lose more than a tenth beside 0.1, 0.2 a fifth; amazon-beauty "
        "does as well with 0.15 as with 0.2 and loses a quarter with 0.05; ml-100k is best with 0.2, the "
        "largest that was tried.",
    ),
    Study(
        "Cosine or dot product?",
        {
            "cosine": ("infonce", {}),
            "dot product, temperature 1": ("infonce", {"similarity": "dot", "temperature": 1.0}),
            "dot product, temperature 0.1": ("infonce", {"similarity": "dot", "temperature": 0.1}),
            "cosine, items times popularity^0.05": ("infonce", {"popularity_exponent": 0.05}),
            "cosine, items times popularity^0.15": ("infonce", {"popularity_exponent": 0.15}),
        },
        "In ten epochs on gowalla dot products keep up, with less data they are far behind: vectors "
        "without a length of their own overfit less. An item's popularity can be given back by a small "
        "exponent after training, which pays on gowalla alone; more of it does not help.",
    ),
    Study(
        "What is the user made of?",
        {
            "the history": ("infonce", {}),
            "half history, half an id": ("infonce", {"user_share": 0.5}),
            "an id": ("infonce", {"user_share": 1.0}),
            "the history, of the items' own embeddings": ("infonce", {"shared_history": True}),
            "the history, popular items not weighed down": ("infonce", {"history_exponent": 0.0}),
            "half history, weighed by the id's attention, half an id": (
                "infonce",
                {"user_share": 0.5, "history_encoder": "user_attention"},
            ),
            "the history, its mean attending to its items": (
                "infonce",
                {"history_encoder": "self_attention"},
            ),
        },
        "Of the history, which ml-100k, in time order, weighs by place. A user id takes part of the same "
        "vector and overfits: half an id costs a tenth and more, an id alone most of all, and attention "
        "does not help, on any of the three. A table of its own for the history pays with little data; "
        "popular items need not be weighed down. Attention of the mean to the items is nothing for "
        "histories without order; on ml-1m, in time order, it is worth a tenth: .1472 with 50 items and "
        "four heads, .1338 without; with 20 items and two heads .1424 with the mean as its query, .1398 "
        "with the newest item, and .1350 if its matrices do not learn at a tenth of the rate. CCL learns "
        "to attend only against noise: on ml-1m two epochs of it came to .0324 – .0971, where weights by "
        "place had .1309, though its loss fell. It pulls an item whose chance to be next is above the "
        "negatives' weight to cosine 1 and pushes every other one to the margin, so that the better it is "
        "learned, the less is left to rank by. With a fifth of the history's vector dropped, which blurs "
        "the margin, a margin of .8 and the mean of the weights over the last seven tenths of six epochs "
        "it comes to .1401, weights by place to .1360. Weights by place pay where order tells and there is "
        "too little to learn attention from: on ml-100k .1056 for InfoNCE, with the mean .1011.",
    ),
    Study(
        "Is there a layer of fixed propagation over the item-item graph (neighbors)?",
        {
            "none": ("infonce", {}),
            "5, weighing 5 together": ("infonce", {"neighbors": 5}),
            "20, weighing 5 together": ("infonce", {"neighbors": 20}),
            "50, weighing 5 together": ("infonce", {"neighbors": 50}),
            "20, weighing 1 together": ("infonce", {"neighbors": 20, "neighbor_weight": 1.0}),
        },
        "The embeddings of an item's neighbors are added to its own by weights that are not learned, as a "
        "layer of LightGCN does. "
        "On gowalla nothing else raises the score as much: what co-occurrence says of an item need not be "
        "learned; the towers come in ten epochs nearly as far as without it at their end, five neighbors as "
        "far as fifty. What they are worth at the end of training is not measured: the board's rows of both "
        "kinds differ in averaging, epochs, temperature and trials too. There InfoNCE and BSL with them pass "
        "Swing, SimpleX and DSSM do not, and no row without it does. Where users have few "
        "interactions, neighbors by themselves say little: of four searches of all settings on "
        "amazon-beauty three had some in their best trial, DSSM 10, BSL 20 and SimpleX 50, but SimpleX had "
        "done better without in a search before; in time order, on ml-100k, they cost some. The rule by "
        "default adds none in either case.",
    ),
    Study(
        "Does the model end with its last weights, or with a mean of them?",
        {
            "the last, the learning rate falling to 0": ("infonce", {}),
            "the mean over the last half of the steps": ("infonce", {"averaging": 0.5}),
            "over the last seven tenths": ("infonce", {"averaging": 0.7}),
        },
        "On gowalla with a mean, which is worth a little over a hundredth in ten epochs, as in the thirty "
        "that the board's row has; elsewhere it hardly matters. On amazon-beauty and ml-100k nothing is lost "
        "or gained, and on ml-1m, where histories are attended to, four epochs that end with the last "
        "weights come to .1555 for InfoNCE, .1546 for BSL and .1527 for DSSM, with the mean to .1546, .1542 "
        "and .1530.",
    ),
    Study(
        "How many dimensions?",
        {
            "64": ("infonce", {}),
            "32": ("infonce", {"embedding_dim": 32}),
            "128": ("infonce", {"embedding_dim": 128}),
            "256": ("infonce", {"embedding_dim": 256}),
        },
        "On gowalla every doubling helps, with no end up to 256; on amazon-beauty and ml-100k 64 are enough, "
        "and 32 too few.",
    ),
)


def resolved(model: str, changed: Settings) -> Settings:
    """Every setting of a model, those that are not `changed` by default."""
    return settings.resolve(registry.get(model), changed, "studies/ablations.py")
