"""The settings that all two-tower models share."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from retrieval_leaderboard.evaluation.models.bases import EmbeddingRetriever
from retrieval_leaderboard.evaluation.models.fields import AUTO, Auto, setting
from retrieval_leaderboard.evaluation.models.retriever import Rule
from retrieval_leaderboard.neural import auto_settings
from retrieval_leaderboard.support.errors import InputError


@dataclass
class TowerSettings(EmbeddingRetriever):
    """What towers are made of, what they are trained on, and how."""

    embedding_dim: int = setting(64, at_least=1)
    """Length of the vectors."""
    similarity: Literal["cosine", "dot"] = "cosine"
    """Whether vectors are scaled to length 1 ("cosine") or not ("dot")."""
    popularity_exponent: float | Auto = setting(AUTO, at_least=-2, at_most=2)
    """Items are ranked by their vectors times (training interactions / their mean)^exponent; for cosine,
    which gives no item a length of its own. Auto climbs from the usual value to the first of 0 to 0.3 that
    ranks the validation queries better than those beside it; without such queries it takes the usual value:
    0.2 for examples per user where users have fewer than 5 interactions on average, else 0.06; 0.06 per
    interaction without seen items; else 0."""
    user_share: float = setting(0.0, at_least=0, at_most=1)
    """Weight γ of the user's id embedding, the history's being 1 - γ; 0 leaves the id out."""
    shared_history: bool = False
    """Make histories of the items' id embeddings instead of a table of their own."""
    neighbors: int | Auto = setting(AUTO, at_least=0, search=[AUTO, 0, 10, 20, 50])
    """One layer of fixed propagation over the item-item graph: the embeddings of that many items most often
    taken by the same users are added to each item's own, as a candidate and in histories, by weights that are
    not learned; after training they are folded into its vectors. 0 leaves it out; auto takes 20 for examples
    per user, and per interaction where seen items are excluded, but not with features where items have 20
    interactions or more on average; else none."""
    neighbor_weight: float = setting(5.0, above=0, search=(1.0, 10.0, "log"))
    """What the neighbors weigh together; the item's own embedding weighs 1."""
    history_exponent: float = setting(0.5, search=(0.0, 1.0))
    """An item taken by n users weighs n^-exponent in the mean of a history."""
    history_encoder: Literal[
        "auto", "mean", "position_weighted", "user_attention", "self_attention", "causal"
    ] = "auto"
    """How a history becomes one vector: "mean", its weighted mean; "position_weighted", the mean of items
    each of whose dimensions is multiplied by what is learned of it for the item's place from the end;
    "user_attention", the mean with weights that the user decides; "self_attention", the mean and what it
    finds in the newest `max_history` items; "causal", what a transformer in which no item sees a newer one
    makes of the newest item, for data in time order; "auto", for examples per user mean, per
    interaction position_weighted, and from half a million interactions on self_attention, but for
    simplex_ccl; per sequence causal."""
    attention_heads: int = setting(4, at_least=1)
    """Heads of self_attention and causal."""
    gradient_checkpointing: bool = False
    """Compute self_attention twice instead of keeping its activations (gradient checkpointing)."""
    features: bool | Auto = setting(AUTO, search=[AUTO, False, True])
    """Use the user and item features, those of the history's items included, where the data has them. Auto
    does where items have features and fewer than 20 interactions on average."""
    context: bool = False
    """Use the hour, the weekday and what else is known of the moment, such as AliEC's placement (pid); needs
    examples per interaction. Hours and weekdays are those of UTC."""
    id_dropout: float | Auto = setting(AUTO, at_least=0, below=1, search=[AUTO, 0.0, 0.05, 0.1, 0.2])
    """Share of ids that training replaces by "unknown", so that features learn to do without them. Auto takes
    0.2 with features where items have fewer than 20 interactions on average, else 0."""
    history_dropout: float = setting(0.0, at_least=0, below=1)
    """Share of the history vector's numbers that training sets to zero, the others growing by as much: noise
    by which a loss that is flat beyond a margin learns finer orders."""
    interaction: Literal["none", "cross", "fm"] = "none"
    """What the deep part of a tower sees beside its fields: DCN-v2's cross, or a factorization machine."""
    mlp: str | Auto = AUTO
    """Hidden widths of the deep part, such as 256-128; without them and interaction there is none. Auto takes
    128 with features and examples per user where items have fewer than 100 interactions on average, else
    none, as for simplex_ccl."""
    norm: Literal["none", "layer", "batch"] = "none"
    """What normalizes the inputs of the deep part's hidden layers."""
    dropout: float = setting(0.0, at_least=0, below=1)
    """Share of the hidden outputs, of the deep part and of self_attention, and of what causal and its layers
    begin with or add, that training sets to zero."""
    examples: Literal["auto", "user", "interaction", "sequence"] = "auto"
    """What a training example is: "user", whose items are split at random into history and targets, half
    each, at every visit; "interaction", one of them with the items before it as history; "sequence", for
    causal, a stretch of `max_history` targets in a row, each of which has the items of the stretch before it
    as history; "auto", interaction where the data is in time order and each validation query has one
    relevant item, which comes after its history."""
    max_history: int = setting(50, at_least=1)
    """Newest items that make the history, for examples per interaction and sequence and for self_attention;
    positions that position_weighted tells apart."""
    recency: float = setting(1.0, search=(0.0, 2.0))
    """The r-th history item from the end weighs r^-recency, for examples per interaction."""
    user_exponent: float = setting(0.5, search=(0.0, 1.0))
    """A pair of a user with n items weighs n^-exponent in the loss."""
    negatives: int = setting(2048, at_least=0)
    """Negatives drawn for each batch and shared by its examples."""
    negative_exponent: float = 0.0
    """They are drawn with probability ∝ popularity^exponent; 0 is uniform."""
    in_batch: bool = False
    """Use the targets of the batch's other examples as negatives too."""
    cold_negatives: bool = setting(False, search=[False, True])
    """Draw negatives from all items of the catalog, not only from those with training interactions: where
    many are never taken, towers with features learn from it that those are rare answers."""
    hard_negatives: int = setting(0, at_least=0)
    """Negatives more for each example, drawn from the 100 items that the model ranked highest for its user;
    those lists are made anew every 2 epochs."""
    batch_size: int = setting(512, at_least=1, search=[256, 512])
    """Training examples a batch."""
    learning_rate: float = setting(0.02, above=0, search=(0.005, 0.06, "log"))
    """Highest learning rate of AdamW; it warms up, then falls by a cosine to 0 at `epochs`."""
    weight_decay: float = setting(0.0, at_least=0, search=[0.0, 0.001, 0.01, 0.1])
    """Decoupled weight decay, on the rows a step touches."""
    epochs: int | Auto = setting(AUTO, at_least=1)
    """Passes over the examples in which the learning rate falls to 0; validation may stop earlier. Auto takes
    as many as come to 3,500 steps, but from 4 to 60."""
    averaging: float = setting(0.0, at_least=0, below=1, search=[0.0, 0.7])
    """Share of the steps, the last ones, over which the model's weights are averaged; the learning rate falls
    no further in them."""
    patience: int = setting(4, at_least=1)
    """Stop after this many evaluations without a better validation NDCG@20."""

    attention_layers: ClassVar[int] = 2
    """Layers of causal."""
    every_negative: ClassVar[bool] = False
    """Whether all items with training interactions are negatives of every batch, in place of drawn ones."""

    rules: ClassVar[dict[str, Rule]] = {
        "examples": auto_settings.examples,
        "features": auto_settings.features,
        "id_dropout": auto_settings.id_dropout,
        "mlp": auto_settings.mlp,
        "neighbors": auto_settings.neighbors,
        "history_encoder": auto_settings.history_encoder,
        "popularity_exponent": auto_settings.popularity_exponent,
        "epochs": auto_settings.epochs,
    }

    def __post_init__(self) -> None:
        """Refuse settings that do not go together.

        Raises:
            InputError: naming them.
        """
        super().__post_init__()
        vars(self).update(self.canonical(vars(self)))
        if self.negatives < 1 and not self.in_batch:
            raise InputError(f"{self.name}: negatives is {self.negatives}: give 1 or more, or set in_batch")
        if self.negatives < 1 and self.hard_negatives:
            raise InputError(f"{self.name}: negatives is 0: give 1 or more beside hard_negatives")
        if self.averaging and self.norm == "batch":
            raise InputError(
                f"{self.name}: averaging is {self.averaging} with norm=batch, whose running means would be "
                "of other weights: set averaging to 0, or norm to layer"
            )
        if self.examples == "sequence" and self.history_encoder not in ("auto", "causal"):
            raise InputError(f"{self.name}: examples=sequence needs history_encoder=causal")
        if self.examples == "user" and self.history_encoder == "causal":
            raise InputError(
                f"{self.name}: history_encoder=causal needs the order of histories, which examples=user "
                "shuffles: set examples to sequence"
            )
        if self.embedding_dim % self.attention_heads and self.history_encoder == "causal":
            raise InputError(
                f"{self.name}: embedding_dim is {self.embedding_dim}, no multiple of attention_heads "
                f"({self.attention_heads})"
            )
        widths = self.mlp.split("-") if self.mlp not in ("", AUTO) else []
        if not all(re.fullmatch("[0-9]*[1-9][0-9]*", each) for each in widths):
            raise InputError(f"{self.name}.mlp is '{self.mlp}': give widths as 256-128, or nothing")

    @classmethod
    def unread(cls, settings: Mapping[str, Any]) -> frozenset[str]:
        """The weight of neighbors, where there are none."""
        return frozenset({"neighbor_weight"} if settings.get("neighbors") == 0 else ())

    @classmethod
    def canonical(cls, settings: Mapping[str, Any]) -> dict[str, Any]:
        """`settings` without features have no deep part where it is "auto", and those that nothing reads, for
        there are no hidden layers or no drawn negatives, are as by default.
        """
        found = dict(settings)
        if found["mlp"] == AUTO and not found["features"]:
            found["mlp"] = ""
        if not found["mlp"]:
            found["norm"] = "none"
        if not found["negatives"]:
            found["negative_exponent"] = 0.0
        return found

    @property
    def widths(self) -> tuple[int, ...]:
        """Hidden widths of the deep part."""
        return tuple(int(width) for width in self.mlp.split("-") if width)
