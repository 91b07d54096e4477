from evaluation import environment


def test_a_card_is_named_only_where_tensors_were_on_it(monkeypatch):
    monkeypatch.setattr(environment, "processor", lambda: "Processor")
    monkeypatch.setattr(environment, "gpu", lambda: "Card")
    assert environment.hardware() == "Processor"
    monkeypatch.setattr(environment, "peak_gpu_mib", lambda: 1.0)
    assert environment.hardware() == "Processor with Card"
