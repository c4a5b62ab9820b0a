from __future__ import annotations

from c2c_tasks.publishing.facts import SandboxFacts, merged, sandbox_facts, writer_facts


def test_facts_of_shards_that_differ_are_all_kept() -> None:
    same = {"launcher": "docker", "image": "a"}
    assert merged([same, same]) == same
    assert merged([same, {"launcher": "process"}]) == {
        "launcher": ["docker", "process"],
        "image": ["a", None],
    }
    assert merged([]) == {}


def test_whether_the_sandbox_was_the_fallback_is_said() -> None:
    docker, process = {"launcher": "docker"}, {"launcher": "process"}
    assert sandbox_facts([docker, docker]).fallback is False
    assert sandbox_facts([docker, process]).fallback is True
    assert sandbox_facts([]).fallback is None


def test_lists_that_differ_and_facts_without_a_name_are_kept() -> None:
    told = [{"missing": ["cgroup"], "new": 1}, {"missing": [], "new": 1}, {}]
    facts = sandbox_facts(told)
    assert facts.missing == [["cgroup"], [], None]
    assert facts.known()["new"] == [1, None]
    assert SandboxFacts.model_validate_json(facts.model_dump_json()) == facts


def test_numbers_stay_what_they_are() -> None:
    facts = writer_facts(
        [{"name": "vllm", "temperature": 0.8}, {"name": "vllm", "temperature": 1.0}]
    )
    assert facts.known() == {"name": "vllm", "temperature": [0.8, 1.0]}
