"""What the stages of the funnel do and why they drop rows, in words."""

from __future__ import annotations

STAGES = {
    "source files": "read from the dump",
    "permitted files": "whose licence allows use, and whose owner did not opt out",
    "parsed files": "that parse, and may hold a candidate",
    "functions": "at the top level of a file, pure by rule, with all they need to run alone",
    "permitted functions": "that nobody opted out",
    "exact duplicates": "with a canonical syntax tree of their own",
    "benchmark overlap": "that resemble no problem of a benchmark",
    "near duplicates": "that resemble no earlier function",
    "test split overlap": "that resemble no function of the test split",
    "inputs": "that the writer has inputs for",
    "executed functions": "that load and run in the sandbox",
    "cases": "that are sound, and show most of a program",
    "programs": "whose cases teach something",
    "behavioural duplicates": "that do what no earlier program does",
    "programs carried over": "of the parent that still stand",
    "samples": "made of programs",
    # of an evaluation
    "recorded cases": "that a problem can be made of",
    "problems": "that are asked",
    "answers": "that the solver gave",
    "grades": "that were run and compared",
}
"""What a row is that goes on from each stage."""

REASONS = {
    # source files
    "corrupt_record": "the record or archive member is damaged",
    "decompression_bomb": "it unpacks to far more than its size allows",
    "duplicate_member": "the archive has another member of that path",
    "empty": "the file is empty",
    "link": "a link, which is not followed",
    "not_python": "it is no Python file",
    "not_utf8": "it is in no encoding that Python would read it in",
    "too_large": "it is larger than `max_file_bytes`",
    "unreadable_object": "the dump object cannot be read",
    "unsafe_path": "its path leads out of the archive",
    "wrong_columns": "the dump object lacks the columns of the others",
    # permitted files and functions
    "licence_not_permissive": "its licence is not permissive",
    "licence_unknown": "no licence is known",
    "opted_out": "its owner opted out",
    # parsed files
    "crashed_parser": "parsing it ended the parser",
    "parser_timed_out": "parsing it took too long",
    "syntax_error": "it is no Python of the version that the build runs on",
    "no_top_level_function": "it has no function outside of classes",
    "no_candidate_shape": "none of its functions takes an argument and returns a value",
    # functions
    "asynchronous": "a coroutine",
    "does_not_compile": "it does not compile alone",
    "dynamic_code": "it runs code from text, or reaches into namespaces",
    "generator": "a generator",
    "global_mutation": "it changes global state",
    "hash_seed": "it uses `hash`, which differs between processes",
    "impure_module": "it uses a module with effects: files, clock, randomness, network",
    "introspection": "it looks into frames, code or classes",
    "module_attribute": "it uses an attribute of its module, as `__file__`",
    "mutable_default": "it changes the default of a parameter",
    "nested_too_deep": "its syntax is nested too deep",
    "no_parameters": "it takes nothing",
    "object_identity": "it uses `id`, which differs between processes",
    "performs_io": "it reads or writes: `open`, `print`, `input`",
    "program_too_long": "with all that it needs, it is longer than `max_program_characters`",
    "redefined": "its name is bound more than once",
    "relative_import": "it needs another file of its package",
    "returns_no_value": "it returns nothing",
    "star_import": "a name may come from `import *`",
    "third_party_import": "it needs a package that is not part of Python",
    "too_many_parameters": "it takes more than `max_parameters`",
    "too_short": "it is shorter than `min_function_lines`",
    "unresolved_name": "it uses a name that nothing defines",
    # copies and overlap
    "behavioural_duplicate": "it does what another one does, with the same inputs",
    "benchmark_overlap": "it resembles a problem of a benchmark",
    "exact_duplicate": "its canonical syntax tree is that of another one",
    "near_duplicate": "its tokens are nearly those of another one",
    "test_split_overlap": "it resembles a function of the test split",
    # inputs
    "context_too_short": "the model's context has no room for it",
    "empty_answer": "the model answered nothing",
    "failed_shard": "its shard failed, and was left out",
    "no_parseable_inputs": "nothing in the model's answer was a valid input",
    "request_failed": "the model could not be reached",
    "request_refused": "the model's server refused the request",
    "unreadable_program": "the writer cannot read it",
    "unsupported_parameters": "it takes what has no literal: files, objects, functions",
    # executed functions
    "failed_to_load": "the program does not load in the sandbox",
    "killed": "it was killed: for memory, or ending its process",
    "protocol_violation": "it wrote to the sandbox's own channel",
    # cases
    "arguments_too_long": "its arguments are longer than `max_arguments_characters`",
    "duplicate_arguments": "another case has the same arguments",
    "e_mail_address": "it holds an e-mail address",
    "ip_address": "it holds a public IP address",
    "memory_address": "its output holds a memory address, which differs between runs",
    "nondeterministic": "a second run, in an interpreter set up differently, came out otherwise",
    "not_chosen": "sound, but others show more of the program",
    "resource_exhausted": "it met the sandbox's limits: `MemoryError`, `RecursionError`",
    "secret": "it holds what looks like a secret",
    "timed_out": "it ran out of time",
    "too_many_raised": "more cases raised than `max_raised_share` allows",
    "unrepresentable": "its value has no literal, or too long a one",
    # programs
    "constant_output": "every case returns the same",
    "identity": "it returns an argument as it is",
    "too_few_cases": "fewer sound cases are left than needed",
    "too_few_distinct_outputs": "its cases return too few different values",
    "too_slow": "which of its cases run depends on the machine",
    # programs carried over
    "rebuilt": "the build read everything again",
    "source_changed": "its source file changed",
    "source_gone": "its source file is gone from the dump",
    # samples
    "repeated_prompt": "another sample of the program has the same prompt",
    "too_long": "it is longer than `max_sample_characters`",
    # problems and answers of an evaluation
    "above_samples_per_problem": "more answers than `samples_per_problem`",
    "cases_too_long": "too few of its cases are short enough to be shown",
    "few_shot_example": "it is a solved example of the prompts",
    "not_drawn": "it is not among the `max_problems` that were drawn",
    "unknown_problem": "it answers no problem that was asked",
}
"""Why a row does not go on from a stage."""

_EARLIER = "_of_earlier_release"


def stage_in_words(name: str) -> str:
    """Return what goes on from a stage; nothing for one that is not known."""
    return STAGES.get(name, "")


def reason_in_words(reason: str) -> str:
    """Return why a row was dropped; its name, spelled out, for a reason that is not known."""
    known = REASONS.get(reason.removesuffix(_EARLIER), reason.replace("_", " "))
    return f"{known} (in an earlier release)" if reason.endswith(_EARLIER) else known
