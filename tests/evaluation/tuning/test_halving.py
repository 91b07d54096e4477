"""Successive halving: what comes next, within the budget, at the length whose turn it is."""

from retrieval_leaderboard.evaluation.tuning.halving import (
    LENGTHS,
    PATIENCE,
    Step,
    Trial,
    exhausted,
    following,
)


def played(score, share, lengths=LENGTHS, most=1000):
    """A whole search whose n-th draw has settings {"n": n}."""
    done = [Trial({"n": 0}, 1.0, score(0, 1.0), share(1.0))]
    while (step := following(done, lengths)) and len(done) < most:
        drawn = sum(each.length == lengths[0] for each in done)
        settings = step.settings or {"n": drawn + 1}
        done.append(Trial(settings, step.length, score(settings["n"], step.length), share(step.length)))
    return done


def test_a_third_of_the_budget_each_and_a_third_is_promoted():
    def score(n, length):
        return n * 7 % 50 + length

    done = played(score, lambda length: length / 30)
    spent = {length: sum(each.share for each in done if each.length == length) for length in LENGTHS}
    assert [round(spent[length] * 3, 1) for length in LENGTHS] == [1.0, 1.1, 0.9]
    assert sum(spent.values()) <= 1 + 1e-9
    kept = {length: {each.settings["n"] for each in done if each.length == length} for length in LENGTHS}
    assert kept[3.0] < kept[1.0] and kept[1.0] - {0} < kept[LENGTHS[0]]
    best = sorted(kept[LENGTHS[0]], key=lambda n: score(n, 0), reverse=True)
    assert set(best[:10]) <= kept[1.0] and not set(best[-20:]) & (kept[1.0] - {0})


def test_one_length_alone_takes_the_whole_budget():
    done = played(lambda n, length: n, lambda length: 0.1, lengths=(1.0,))
    assert len(done) == 10


def test_what_does_not_fit_any_more_is_not_begun():
    slow = played(lambda n, length: n, lambda length: 0.4 * length)
    assert sum(each.share for each in slow) <= 1
    assert [each.length for each in slow] == [1.0] + [LENGTHS[0]] * 4
    assert played(lambda n, length: n, lambda length: 2.0)[1:] == []
    assert played(lambda n, length: n, lambda length: float("inf"))[1:] == []


def test_only_the_best_third_of_a_length_is_promoted():
    def after(*scores):
        done = [Trial({"n": n}, LENGTHS[0], score, 0.0) for n, score in enumerate(scores)]
        return following([Trial({"n": 0}, 1.0, 9.0, 0.4), *done], LENGTHS)

    assert after(5.0, 3.0) == Step(LENGTHS[0])
    assert after(5.0, 3.0, 4.0) == Step(LENGTHS[0])
    assert after(5.0, 3.0, 6.0) == Step(1.0, {"n": 2})
    assert after(5.0, 3.0, 4.0, None, None, None) == Step(1.0, {"n": 2})


def test_failures_are_not_promoted():
    done = played(lambda n, length: None if n % 2 else 1.0, lambda length: length / 20)
    assert all(each.settings["n"] % 2 == 0 for each in done if each.length > LENGTHS[0])
    assert any(each.length > LENGTHS[0] for each in done[1:])


def test_without_draws_only_what_was_drawn_goes_on():
    done = [Trial({"n": n}, LENGTHS[0], float(n), 0.01) for n in range(3)]
    assert following(done, LENGTHS) == Step(LENGTHS[0])
    assert following(done[:2], LENGTHS, draws=False) is None, "no best third of two"
    assert following(done, LENGTHS, draws=False) == Step(1.0, {"n": 2}), "however little is used"
    late = [Trial({"n": n}, LENGTHS[0], float(n), 0.15) for n in range(3)]
    assert following(late, LENGTHS, draws=False) == Step(1.0, {"n": 2})


def test_draws_that_bring_nothing_are_given_up():
    scores = [0.1, 0.3] + [0.2] * PATIENCE
    done = [Trial({"n": n}, 1.0, score, 0.0) for n, score in enumerate(scores)]
    assert exhausted(done, 1.0) and not exhausted(done[:-1], 1.0)
    assert not exhausted([*done[:-1], Trial({}, 1.0, 0.4, 0.0)], 1.0)
    assert exhausted([Trial({}, 1.0, None, 0.0)] * (PATIENCE + 1), 1.0)


def test_a_budget_whose_draws_bring_nothing_is_for_promotions():
    done = [Trial({"n": n}, LENGTHS[0], -float(n), 0.005) for n in range(60)]
    lengths = []
    while step := following(done, LENGTHS, draws=False):
        lengths.append(step.length)
        done.append(Trial(step.settings, step.length, -step.settings["n"], 0.015 * step.length))
    assert {length: lengths.count(length) for length in LENGTHS} == {LENGTHS[0]: 0, 1.0: 20, 3.0: 6}
