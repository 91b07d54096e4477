from dataclasses import dataclass, replace

import numpy as np
import pytest

from retrieval_leaderboard.baselines.als import ALS
from retrieval_leaderboard.datasets import Categorical, Features
from retrieval_leaderboard.evaluation import EmbeddingRetriever
from retrieval_leaderboard.neural import InfoNCE
from retrieval_leaderboard.serving import Recommender, Request
from retrieval_leaderboard.serving.bundles import bundle
from retrieval_leaderboard.serving.indexes import KINDS
from retrieval_leaderboard.serving.requests import MAX_EXCLUDED, MAX_HISTORY, MAX_K
from retrieval_leaderboard.support.errors import InputError
from tests.serving.described import Described


@pytest.fixture
def infonce(infonce_bundle):
    return Recommender.open(infonce_bundle)


def trained(dataset, user):
    return [dataset.item_ids[code] for code in dataset.train_valid.by_user[user]]


def test_a_real_model_gives_the_lists_of_its_run(infonce, infonce_run, dataset):
    with np.load(infonce_run / "lists.npz") as stored:
        lists = stored["items"]
    answers = infonce.recommend_batch([Request(user) for user in dataset.user_ids])
    for answer, row in zip(answers, lists, strict=True):
        assert answer.items == dataset.item_ids[row].tolist()
        assert answer.known_user and not answer.fallback
        assert answer.scores == sorted(answer.scores, reverse=True)


def test_the_history_of_a_user_can_be_given(opened, dataset):
    recommender = opened()
    history = trained(dataset, 4)
    by_id, by_history = recommender.recommend("u4"), recommender.recommend(history=history)
    assert by_id.items == by_history.items and len(by_id.items) == 20
    assert by_history.known_user is False and by_history.fallback is False
    shorter = recommender.recommend("u4", history=history[:3])
    assert shorter.items != by_id.items
    assert not set(shorter.items) & set(history), "what the user took in training stays seen"


def test_seen_items_are_excluded_unless_asked_for(opened, dataset):
    recommender = opened()
    history = trained(dataset, 4)
    assert not set(recommender.recommend("u4", k=289).items) & set(history)
    assert len(recommender.recommend("u4", k=1000).items) == 300 - len(history)
    assert len(recommender.recommend("u4", k=1000, exclude_seen=False).items) == 300


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("exclude_seen", [True, False])
def test_excluded_items_leave_their_places_to_the_next(kind, exclude_seen, opened):
    recommender = opened(kind)
    whole = recommender.recommend("u4", k=40, exclude_seen=exclude_seen)
    exclude = [*whole.items[:10:2], "not in the catalog"]
    answer = recommender.recommend("u4", k=20, exclude_seen=exclude_seen, exclude=exclude)
    assert not set(exclude) & set(answer.items) and len(answer.items) == 20
    if kind == "flat":
        assert answer.items == [item for item in whole.items if item not in exclude][:20]


def test_an_unknown_user_gets_a_flagged_answer(opened, infonce):
    for recommender in (opened(), infonce):
        answer = recommender.recommend("unseen")
        assert answer.fallback and not answer.known_user and len(answer.items) == 20
        all_unknown = recommender.recommend("unseen", history=["nothing", "known"])
        assert all_unknown.fallback and all_unknown.items == answer.items
        assert all_unknown.unknown_items == ["nothing", "known"]


def test_a_user_of_whom_only_unknown_values_are_told_gets_the_default(infonce):
    default = infonce.recommend("unseen").items
    for features in ({"segment": None}, {"segment": "never heard of"}):
        answer = infonce.recommend("unseen", features=features)
        assert answer.fallback and answer.items == default


def test_an_unseen_user_gets_what_als_gives_the_mean_user(run_of, dataset, tmp_path):
    run = run_of("als", factors=8)
    bundle.write(run, dataset, tmp_path / "als")
    answer = Recommender.open(tmp_path / "als").recommend("unseen")
    assert answer.fallback and not answer.known_user and len(answer.items) == 20
    _, model = bundle.trained(run, dataset)
    scores = model.encode_items() @ model.mean_user_
    best = np.sort(scores)[::-1][:20]
    np.testing.assert_allclose(answer.scores, best, rtol=1e-5)


def test_a_model_without_a_default_gives_an_unseen_user_nothing(run_of, dataset, tmp_path, monkeypatch):
    found = ALS.encode_known

    def without_default(self, queries):
        vectors, known = found(self, queries)
        return vectors * known[:, None], known

    monkeypatch.setattr(ALS, "encode_known", without_default)
    bundle.write(run_of("als", factors=8), dataset, tmp_path / "als")
    als = Recommender.open(tmp_path / "als")
    unseen, known = als.recommend("unseen"), als.recommend("u1")
    assert unseen.fallback and unseen.items == [] and unseen.scores == []
    assert not known.fallback and len(known.items) == 20


def test_the_moment_and_the_place_count(run_of, dataset, tmp_path):
    run = run_of("infonce", context=True, examples="interaction", epochs=2)
    bundle.write(run, dataset, tmp_path / "position_weighted")
    placed = Recommender.open(tmp_path / "position_weighted")
    model = InfoNCE.load(run)
    history = trained(dataset, 4)
    for hour, code, context in ((3, 1, {"place": "left"}), (15, 2, {"place": "right"}), (15, 0, None)):
        asked = Request(history=history, timestamp=3600 * hour, context=context)
        query = replace(
            dataset.test.take(np.array([4])), user=np.array([-1], dtype=np.int32),
            timestamp=np.array([3600 * hour]),
            context=Features({"place": Categorical(np.array([code], dtype=np.int32))}),
        )  # fmt: skip
        np.testing.assert_allclose(
            placed.user_vectors([asked]), model.encode_queries(query), rtol=1e-5, atol=1e-6
        )
    elsewhere = placed.recommend(history=history, timestamp=0, context={"place": "up"})
    assert elsewhere.unknown_values == {"place": ["up"]}
    assert placed.recommend("u1").items, "without a moment it is now"
    with pytest.raises(InputError, match="unknown context feature 'plac': did you mean 'place'"):
        placed.recommend("u1", context={"plac": "left"})


@pytest.mark.parametrize(
    "moment",
    [1580472000, 1580472000_000, 1580472000_000_000, "2020-01-31T13:00:00+01:00", "2020-01-31 12:00"],
)
def test_a_moment_may_come_in_any_unit(moment, opened, monkeypatch):
    recommender, asked = opened(), []
    monkeypatch.setattr(
        recommender._searcher.model,
        "encode_queries",
        lambda queries: asked.append(queries) or np.zeros((1, 16)),
    )
    recommender.recommend("u1", timestamp=moment)
    assert asked[-1].timestamp.tolist() == [1580472000]


@dataclass
class RowOfTheLastUser(Described):
    """Learns a vector for each user, and forgets that unseen users have none."""

    def fit(self, train, valid, seed):
        super().fit(train, valid, seed)
        rows = [self.item_[train.by_user[user]].sum(axis=0) for user in range(train.n_users)]
        self.user_ = np.array(rows)

    def encode_queries(self, queries):
        return self.user_[queries.user]

    knows = EmbeddingRetriever.knows


def test_an_unseen_user_never_gets_the_last_users_items(dataset, toy_run, tmp_path, capsys):
    model = RowOfTheLastUser()
    model.fit(dataset.train_valid, None, 0)
    run = toy_run(4)
    model.save(run)
    bundle.write(run, dataset, tmp_path / "out", "flat", RowOfTheLastUser)
    recommender = Recommender.open(tmp_path / "out", RowOfTheLastUser)
    assert "answers unseen users with the vector of the known user 'u59'" in capsys.readouterr().out
    assert len(recommender.recommend("u59").items) == 20 and not recommender.recommend("u59").fallback
    for asked in ({"user_id": "unseen"}, {"history": ["i1"]}, {"features": {"segment": "a"}}):
        answer = recommender.recommend(**asked)
        assert answer.fallback and answer.items == []
    assert not recommender.user_vector("unseen").any()


@dataclass
class PopularWithoutWord(Described):
    """Gives everybody the same vector, and does not say whom it knows."""

    def encode_queries(self, queries):
        return np.ones((len(queries), self.dimension), dtype=np.float32)

    knows = EmbeddingRetriever.knows


def test_an_unseen_user_of_whom_nothing_is_known_gets_the_fallback(dataset, toy_run, tmp_path):
    bundle.write(toy_run(5), dataset, tmp_path / "out", "flat", PopularWithoutWord)
    recommender = Recommender.open(tmp_path / "out", PopularWithoutWord)
    assert recommender.recommend("unseen").fallback and recommender.recommend(history=["who"]).fallback
    assert len(recommender.recommend("unseen").items) == 20
    assert not recommender.recommend("u1").fallback and not recommender.recommend(history=["i1"]).fallback


def test_unknown_items_of_a_history_are_dropped_and_reported(opened):
    recommender = opened()
    answer = recommender.recommend(history=["i1", "who", "i2"])
    assert answer.items == recommender.recommend(history=["i1", "i2"]).items
    assert answer.unknown_items == ["who"] and not answer.fallback


def test_features_describe_an_unknown_user_only(opened):
    recommender = opened()
    told = recommender.recommend("unseen", features={"segment": "b"})
    assert not told.fallback and told.items != recommender.recommend("unseen").items
    new = recommender.recommend("unseen", features={"segment": "z"})
    assert new.unknown_values == {"segment": ["z"]} and len(new.items) == 20
    known = recommender.recommend("u1", features={"segment": "b"})
    assert known.items == recommender.recommend("u1").items
    assert recommender.recommend("u1", features={"segment": "z"}).unknown_values == {"segment": ["z"]}
    with pytest.raises(InputError, match="did you mean 'segment'"):
        recommender.recommend("u1", features={"segmnt": "b"})
    with pytest.raises(InputError, match="user feature 'segment' is missing"):
        recommender.recommend("unseen", features={})


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({}, "names no user: give user_id, history or features"),
        ({"user_id": 7}, "user_id must be text"),
        ({"user_id": "u1", "k": 0}, "give a whole number from 1 to 1,000"),
        ({"user_id": "u1", "k": MAX_K + 1}, "k is 1001"),
        (
            {"history": ["i1"] * (MAX_HISTORY + 1)},
            "^history has 1,001 items, more than 1,000: give the newest",
        ),
        (
            {"user_id": "u1", "exclude": ["i1"] * (MAX_EXCLUDED + 1)},
            "^exclude has 1,001 items, more than 1,000: give fewer",
        ),
        ({"user_id": "u1", "exclude": "i1"}, "^exclude must be a list of item ids"),
        ({"user_id": "u1", "timestamp": -1}, "timestamp is -1: give unix seconds"),
        ({"user_id": "u1", "timestamp": True}, "timestamp is True: give unix seconds"),
        ({"user_id": "u1", "timestamp": float("nan")}, "timestamp is nan: give unix seconds"),
        ({"user_id": "u1", "timestamp": 20200131}, "timestamp is 20200131: give unix seconds"),
        ({"user_id": "u1", "timestamp": "soon"}, "timestamp is 'soon': give unix seconds"),
        ({"user_id": "u1", "timestamp": "1960-01-01"}, "timestamp is '1960-01-01': give unix seconds"),
        ({"history": "i1"}, "history must be a list of item ids"),
        ({"history": [1, 2]}, "history must be a list of item ids"),
        ({"history": iter(["i1"])}, "history must be a list of item ids"),
        ({"user_id": "u1", "exclude": None}, "exclude must be a list of item ids"),
        ({"user_id": "u1", "exclude": 5}, "exclude must be a list of item ids"),
        ({"user_id": "u1", "k": True}, "k is True: give a whole number"),
        ({"user_id": "u1", "exclude_seen": "no"}, "exclude_seen is 'no': give True, False or None"),
    ],
)
def test_a_request_that_cannot_be_answered_gets_one_sentence(asked, sentence, opened):
    with pytest.raises(InputError, match=sentence):
        opened().recommend(**asked)


def test_arrays_are_lists_too(opened):
    recommender = opened()
    told = recommender.recommend(history=np.array(["i1", "i2"]), k=np.int64(5))
    assert told == recommender.recommend(history=["i1", "i2"], k=5)


def test_a_history_at_the_limit_works(opened):
    assert len(opened().recommend(history=["i1"] * MAX_HISTORY).items) == 20


def test_ids_are_read_as_those_of_a_log_without_the_blanks_around_them(opened, new_item):
    recommender = opened()
    plain = recommender.recommend("u4", history=["i1", "i2"], exclude=["i3", "i4"])
    assert recommender.recommend(" u4", history=["i1 ", "\ti2"], exclude=[" i3", "i4 "]) == plain
    recommender.add_item(" new\n", new_item)
    assert "new" in recommender.recommend("u4", k=1000).items
    assert "new" not in recommender.recommend("u4", k=1000, exclude=["new "]).items
    with pytest.raises(InputError, match="the item 'new' is in the catalog already"):
        recommender.add_item("new ", new_item)
    recommender.remove_item(" new")
    recommender.save()
    assert len(Recommender.open(recommender.folder, Described)) == len(recommender) == 300


def test_an_id_that_has_blanks_in_the_data_is_found_as_it_is(dataset, toy_run, tmp_path):
    names = dataset.item_ids.copy()
    names[7] = " i7 "
    odd = replace(dataset, item_ids=names)
    object.__setattr__(odd, "fingerprint", dataset.fingerprint)
    bundle.write(toy_run(0), odd, tmp_path / "odd", "flat", Described)
    recommender = Recommender.open(tmp_path / "odd", Described)
    assert recommender.recommend(history=[" i7 "]).unknown_items == []
    assert recommender.recommend(history=["i7"]).unknown_items == ["i7"]


@pytest.mark.parametrize(
    ("refused", "sentence"),
    [
        (Request("u1", k=0), "k is 0: give a whole number"),
        (Request("u1", filter={"colr": ["c1"]}), "unknown column of filter 'colr'"),
        (Request("new", features={"segmnt": "a"}), "unknown user feature 'segmnt'"),
        (Request("new", features={"segment": 1.5}), "the user feature 'segment' must be text"),
        (Request("u1", context={"plac": "left"}), "unknown context feature 'plac'"),
    ],
)
def test_a_refused_batch_names_the_request(refused, sentence, opened):
    recommender = opened()
    fine = [Request("u1"), Request("new", features={"segment": "a"}), Request("u2", filter={"color": ["c1"]})]
    with pytest.raises(InputError, match=rf"^requests\[3\]: {sentence}"):
        recommender.recommend_batch([*fine, refused, Request("u2", k=0)])
    with pytest.raises(InputError, match=f"^{sentence}"):
        recommender.recommend_batch([refused])
    if refused.k and not refused.filter:
        with pytest.raises(InputError, match=rf"^requests\[3\]: {sentence}"):
            recommender.user_vectors([*fine, refused])


@pytest.mark.parametrize("kind", KINDS)
def test_a_batch_answers_as_single_calls(kind, opened, dataset):
    recommender = opened(kind)
    asked = [Request(user, k=5 + row % 3) for row, user in enumerate(dataset.user_ids[:12])]
    asked += [Request(history=["i1", "i2", "nobody"]), Request("unseen"), Request("u3", exclude_seen=False)]
    asked += [Request("new", features={"segment": "a"}), Request("new", ["i9"], {"segment": "y"}, 40)]
    for one, answer in zip(asked, recommender.recommend_batch(asked), strict=True):
        (alone,) = recommender.recommend_batch([one])
        assert (alone.items, alone.fallback, alone.unknown_items, alone.unknown_values) == (
            answer.items, answer.fallback, answer.unknown_items, answer.unknown_values,
        )  # fmt: skip
        np.testing.assert_allclose(alone.scores, answer.scores, rtol=1e-5)
    assert recommender.recommend_batch([]) == []


def test_scores_are_inner_products_of_the_vectors(opened, infonce):
    for recommender in (opened(), infonce):
        answer = recommender.recommend("u7")
        vectors = recommender.item_vectors(answer.items)
        np.testing.assert_allclose(
            vectors @ recommender.user_vector("u7"), answer.scores, rtol=1e-4, atol=1e-6
        )
        batch = recommender.user_vectors([Request("u7"), Request(history=["i1"])])
        np.testing.assert_allclose(batch[1], recommender.user_vector(history=["i1"]), rtol=1e-5)
        assert recommender.item_vectors([]).shape == (0, recommender.about.dimension)
        with pytest.raises(InputError, match="the item 'nobody' is not in the catalog of 300 items"):
            recommender.item_vector("nobody")
