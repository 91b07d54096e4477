from retrieval_leaderboard.evaluation.runs import environment


def test_a_card_is_named_only_where_tensors_were_on_it(monkeypatch):
    monkeypatch.setattr(environment, "processor", lambda: "Processor")
    monkeypatch.setattr(environment, "gpu", lambda: "Card")
    assert environment.hardware() == "Processor"
    monkeypatch.setattr(environment, "peak_gpu_mib", lambda: 1.0)
    assert environment.hardware() == "Processor with Card"


def test_without_proc_the_processor_is_named_another_way(monkeypatch, tmp_path):
    monkeypatch.setattr(environment, "CPUINFO", tmp_path / "absent")
    for told, named in (("arm", "arm"), ("", "arm64")):
        monkeypatch.setattr(environment.platform, "processor", lambda told=told: told)
        monkeypatch.setattr(environment.platform, "machine", lambda: "arm64")
        assert environment.processor() == named
