from retrieval_leaderboard.evaluation.runs import environment
from retrieval_leaderboard.support import compute
from retrieval_leaderboard.support.devices import DEVICES, cpu


def test_a_gpu_is_named_only_where_tensors_were_on_it(monkeypatch):
    monkeypatch.setattr(environment, "processor", lambda: "Processor")
    assert environment.hardware() == "Processor"
    monkeypatch.setattr(compute, "_current", compute.Compute(device="cuda"))
    monkeypatch.setattr(DEVICES["cuda"], "hardware", lambda: "GPU")
    assert environment.hardware() == "Processor"
    monkeypatch.setattr(DEVICES["cuda"], "peak_mib", lambda: 1.0)
    assert environment.hardware() == "Processor with GPU"


def test_without_proc_the_processor_is_named_another_way(monkeypatch, tmp_path):
    monkeypatch.setattr(cpu, "CPUINFO", tmp_path / "absent")
    for told, named in (("arm", "arm"), ("", "arm64")):
        monkeypatch.setattr(cpu.platform, "processor", lambda told=told: told)
        monkeypatch.setattr(cpu.platform, "machine", lambda: "arm64")
        assert cpu.processor() == named


def test_an_installed_suite_has_no_commit_of_what_it_lies_in(monkeypatch):
    assert environment.git_commit()
    monkeypatch.setattr(environment, "PREFIX", "retrieval_leaderboard.")
    assert environment.git_commit() == ""
